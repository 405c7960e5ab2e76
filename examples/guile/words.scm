;;;; SPDX-License-Identifier: MIT
;;;;
;;;; What a table costs the collector: the words of the documentation on this
;;;; machine, a million records, and the levels of Freedoom where that is
;;;; installed, in arena maps and in Guile's own hash tables, side by side.
;;;;
;;;;   guile -L MODULE -C MODULE words.scm [RECORDS]
;;;;
;;;; The last lines are bars: "ok" or "MISSED", what was measured, the bar.

(use-modules (acre)
             (ice-9 control)
             (ice-9 ftw)
             (ice-9 format)
             (ice-9 match)
             (ice-9 rdelim)
             (rnrs bytevectors)
             (ice-9 binary-ports)
             (srfi srfi-1))

(define records
  (match (command-line)
    ((_ count) (or (string->number count) 1000000))
    (_ 1000000)))

;;; ---------------------------------------------------------------- measuring

(define (seconds thunk)
  (let ((start (get-internal-real-time)))
    (thunk)
    (exact->inexact (/ (- (get-internal-real-time) start)
                       internal-time-units-per-second))))

(define (median numbers)
  (list-ref (sort numbers <) (quotient (length numbers) 2)))

(define (seconds-of-gc)
  "Of a whole collection: the median of five."
  (gc)
  (median (map (lambda (_) (seconds gc)) (iota 5))))

(define (seconds-of-gc-beside label)
  "The same; prints what Guile says of its heap."
  (let ((found (seconds-of-gc)))
    (format #t "  (gc-stats) beside ~a:~%    ~s~%" label (gc-stats))
    found))

(define (collector-seconds)
  "What collections have taken so far."
  (exact->inexact (/ (assq-ref (gc-stats) 'gc-time-taken)
                     internal-time-units-per-second)))

(define (row label . cells)
  (format #t "~32a~{~12@a~}~%" label cells))

(define (milliseconds x) (format #f "~,1f ms" (* 1000 x)))

;;; -------------------------------------------------------------------- texts

(define (text-files)
  "Files of plain text that a Debian system has."
  (append-map
   (lambda (directory)
     (if (file-exists? directory)
         (let ((files '()))
           (ftw directory
                (lambda (name info flag)
                  (when (and (eq? flag 'regular)
                             (< (stat:size info) 1000000)
                             (not (string-suffix? ".gz" name)))
                    (set! files (cons name files)))
                  #t))
           (sort files string<?))
         '()))
   '("/usr/share/common-licenses" "/usr/share/doc")))

(define letters-and-digits (char-set-union char-set:letter char-set:digit))

(define (for-each-word proc limit)
  "Calls PROC with each word of the files, at most LIMIT."
  (let/ec stop
    (let ((count 0))
      (for-each
       (lambda (file)
         (false-if-exception
          (call-with-input-file file
            (lambda (port)
              (set-port-encoding! port "ISO-8859-1")
              (let next ((line (read-line port)))
                (unless (eof-object? line)
                  (for-each (lambda (word)
                              (set! count (+ count 1))
                              (when (> count limit) (stop #f))
                              (proc (string-downcase word)))
                            (string-tokenize line letters-and-digits))
                  (next (read-line port))))))))
       (text-files)))))

(define (record-name i)
  (string-append "record number " (number->string (* i 7919))))

;;; ------------------------------------------------------- two kinds of tables

(define (words-in-arena map)
  (for-each-word
   (lambda (word)
     (arena-map-set! map word (+ 1 (arena-map-ref map word 0))))
   records))

(define (words-in-table table)
  (for-each-word
   (lambda (word)
     (hash-set! table word (+ 1 (hash-ref table word 0))))
   records))

(define-syntax-rule (for-each-of (name i) names body ...)
  (let next ((i 0))
    (when (< i (vector-length names))
      (let ((name (vector-ref names i))) body ...)
      (next (+ i 1)))))

(define (fill-map map names)
  (for-each-of (name i) names (arena-map-set! map name i))
  map)
(define (fill-table table names)
  (for-each-of (name i) names (hash-set! table name i))
  table)

(define (look-up-in-map map names)
  (let ((sum 0))
    (for-each-of (name i) names (set! sum (+ sum (arena-map-ref map name))))
    sum))
(define (look-up-in-table table names)
  (let ((sum 0))
    (for-each-of (name i) names (set! sum (+ sum (hash-ref table name))))
    sum))

;;; ------------------------------------------------------------------- levels

(define (wad-file)
  (find file-exists? '("/usr/share/games/doom/freedoom2.wad"
                       "/usr/share/games/doom/freedoom1.wad")))

(define (lump-name wad at)
  (let next ((i 0) (chars '()))
    (let ((byte (if (= i 8) 0 (bytevector-u8-ref wad (+ at i)))))
      (if (zero? byte)
          (reverse-list->string chars)
          (next (+ i 1) (cons (integer->char byte) chars))))))

(define (for-each-lump proc wad)
  "(PROC name offset size), in the order of the directory."
  (let ((count (bytevector-s32-ref wad 4 'little))
        (directory (bytevector-s32-ref wad 8 'little)))
    (let next ((i 0))
      (when (< i count)
        (let ((at (+ directory (* 16 i))))
          (proc (lump-name wad (+ at 8))
                (bytevector-s32-ref wad at 'little)
                (bytevector-s32-ref wad (+ at 4) 'little)))
        (next (+ i 1))))))

;; What the numbers of a record mean, all of 16 bits: fields, bytes a record.
(define kinds-of-lumps
  '(("THINGS" 10 x y angle type flags)
    ("LINEDEFS" 14 from to flags special tag right left)
    ("VERTEXES" 4 x y)))

(define (read-levels wad make-map set make-list)
  "A map of levels, each a map of lists of maps of numbers."
  (let ((levels (make-map)) (level #f))
    (for-each-lump
     (lambda (name offset size)
       (if (zero? size)
           (begin
             (set! level (make-map))
             (set levels name level))
           (match (assoc name kinds-of-lumps)
             ((_ bytes . fields)
              (set level name
                   (make-list
                    (map (lambda (k)
                           (let ((record (make-map)))
                             (for-each
                              (lambda (field i)
                                (set record field
                                     (bytevector-s16-ref
                                      wad (+ offset (* k bytes) (* 2 i))
                                      'little)))
                              fields (iota (length fields)))
                             record))
                         (iota (quotient size bytes))))))
             (_ #f))))
     wad)
    levels))

;;; --------------------------------------------------------------------- all

(define (compare-words)
  (let* ((in-arena (collector-seconds))
         (arena-time (seconds (lambda ()
                                (words-in-arena (arena-map (make-arena))))))
         (in-table (collector-seconds))
         (table-time (seconds (lambda ()
                                (words-in-table (make-hash-table)))))
         (done (collector-seconds)))
    (row "words of documentation" (milliseconds arena-time)
         (milliseconds table-time))
    (row "  collector meanwhile" (milliseconds (- in-table in-arena))
         (milliseconds (- done in-table)))))

(define bars '())
(define (bar! name measured most)
  (set! bars (cons (list name measured most) bars)))

(define (in-another-order names)
  "Copies: what is looked up is rarely the very object that was inserted."
  (let* ((count (vector-length names))
         (step (let coprime ((k (quotient (* count 5) 8)))
                 (if (= 1 (gcd k count)) k (coprime (+ k 1))))))
    (list->vector
     (map (lambda (i) (string-copy (vector-ref names (modulo (* i step) count))))
          (iota count)))))

(define (measure-records fill look-up names others)
  "Seconds to insert, the collector's meanwhile, seconds to look up."
  (gc)
  (let* ((before (collector-seconds))
         (table #f)
         (insert (seconds (lambda () (set! table (fill names)))))
         (collector (- (collector-seconds) before))
         (sum #f)
         (found (seconds (lambda () (set! sum (look-up table others))))))
    (unless (= sum (/ (* records (- records 1)) 2))
      (error "entries were lost" sum))
    (list insert collector found)))

(define (medians rounds)
  (apply map (lambda numbers (median numbers)) rounds))

(define (compare-records)
  (let ((names (list->vector (map record-name (iota records)))))
    (let ((others (in-another-order names)))
      (let next ((round 0) (arena '()) (table '()))
        (if (< round 3)
            (let* ((one (measure-records
                         (lambda (names)
                           (fill-map (arena-map (make-arena)) names))
                         look-up-in-map names others))
                   (other (measure-records
                           (lambda (names)
                             (fill-table (make-hash-table) names))
                           look-up-in-table names others)))
              (next (+ round 1) (cons one arena) (cons other table)))
            (match (append (medians arena) (medians table))
              ((insert collector found insert2 collector2 found2)
               (row (format #f "~a records: insert" records)
                    (milliseconds insert) (milliseconds insert2))
               (row "  collector meanwhile"
                    (milliseconds collector) (milliseconds collector2))
               (row "  look up all" (milliseconds found) (milliseconds found2))
               (bar! "insert" (/ insert insert2) 0.5)
               (bar! "look up" (/ found found2) 1.0))))))))

(define (record-text i)
  (string-append "the text of record " (number->string i)))

(define (fill-with-texts set table)
  (let next ((i 0))
    (when (< i records)
      (set table (record-name i) (record-text i))
      (next (+ i 1))))
  table)

(define (compare-collections)
  "With nothing else in the heap: what of (gc) is there for the table."
  (let* ((empty (seconds-of-gc))
         (map (fill-with-texts arena-map-set! (arena-map (make-arena))))
         (arena-gc (seconds-of-gc-beside "an arena"))
         (table (fill-with-texts hash-set! (make-hash-table)))
         (table-gc (seconds-of-gc-beside "the arena and a hash table")))
    (unless (= (arena-map-count map) (hash-count (const #t) table) records)
      (error "entries were lost"))
    (row "(gc) without either" (milliseconds empty))
    (row (format #f "(gc) with ~a records" records) (milliseconds arena-gc)
         (milliseconds table-gc))
    (format #t "  (gc) takes ~,1f ms more for the arena, ~,1f for the table~%"
            (* 1000 (- arena-gc empty)) (* 1000 (- table-gc empty)))
    (bar! "(gc)" (/ arena-gc table-gc) (/ 1.0 50))))

(define (compare-levels)
  (let ((file (wad-file)))
    (if (not file)
        (format #t "Freedoom is not installed: no levels~%")
        (let* ((wad (call-with-input-file file get-bytevector-all
                      #:binary #t))
               (arena (make-arena "levels"))
               (levels #f)
               (arena-time
                (seconds (lambda ()
                           (set! levels
                                 (read-levels
                                  wad (lambda () (arena-map arena))
                                  arena-map-set!
                                  (lambda (records)
                                    (list->arena-vector arena records)))))))
               (arena-gc (seconds-of-gc))
               (tables #f)
               (table-time
                (seconds (lambda ()
                           (set! tables
                                 (read-levels wad make-hash-table hash-set!
                                              list->vector)))))
               (table-gc (seconds-of-gc)))
          (row (format #f "~a levels of Freedoom" (arena-map-count levels))
               (milliseconds arena-time) (milliseconds table-time))
          (row "  (gc) beside them" (milliseconds arena-gc)
               (milliseconds table-gc))
          (unless (= (arena-map-count levels)
                     (hash-count (const #t) tables))
            (error "levels were lost"))))))

(define (tell-bars)
  (for-each (match-lambda
              ((name measured most)
               (format #t "~a ~a: ~,3f of the hash table's (bar: ~,3f)~%"
                       (if (<= measured most) "ok" "MISSED")
                       name measured most)))
            (reverse bars)))

(row "" "arena" "hash table")
(compare-collections)
(compare-words)
(compare-records)
(compare-levels)
(tell-bars)
