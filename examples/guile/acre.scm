;;;; SPDX-License-Identifier: MIT
;;;;
;;;; acre in Guile: maps, vectors and growing strings in arenas that the
;;;; collector neither allocates nor scans. README.md shows how to use them.
;;;;
;;;; Keys and values: strings, symbols (by name), exact integers of 64 bits,
;;;; inexact reals, booleans, characters, bytevectors, the empty list, and maps,
;;;; vectors and strings of the same arena. What is a string or bytevector is
;;;; copied, in and out; maps, vectors and strings of the arena are shared, by
;;;; handles. Other objects: in arenas made with #:objects? #t, which keep them
;;;; alive; as keys by eq?.

(define-module (acre)
  #:use-module (acre json-lines)
  #:use-module (ice-9 exceptions)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:export (make-arena call-with-arena
            arena-checkpoint arena-rewind! arena-audit arena-findings
            arena-map-count arena-map-for-each arena-map-fold
            arena-map->alist alist->arena-map
            arena-vector-pop! arena-vector-for-each arena-vector-fold
            arena-vector->list list->arena-vector arena-vector-sort!
            arena-string arena-string-append!
            &acre-error acre-error?
            &stale-reference stale-reference?
            &arena-out-of-memory arena-out-of-memory?
            &arena-byte-limit arena-byte-limit?
            &other-arena other-arena?
            &object-refused object-refused?
            &map-changed map-changed?)
  ;; From C:
  #:export (arena? arena-name arena-reset! arena-stats set-arena-byte-limit!
            arena-live? arena-free! arena-copy
            arena-map arena-map? arena-map-ref arena-map-set!
            arena-map-delete! arena-map-clear!
            arena-vector arena-vector? arena-vector-length arena-vector-ref
            arena-vector-set! arena-vector-insert! arena-vector-push!
            arena-vector-delete! arena-vector-resize!
            arena-string? arena-string->string arena-string-length
            arena-string-truncate!))

;;; -------------------------------------------------------------- conditions

(define-syntax-rule (define-condition type predicate parent)
  (begin
    (define type (make-exception-type 'type parent '()))
    (define predicate (exception-predicate type))))

;; Each comes with &origin, &message and &irritants.
(define-condition &acre-error acre-error? &error)
(define-condition &stale-reference stale-reference? &acre-error)
(define-condition &arena-out-of-memory arena-out-of-memory? &acre-error)
(define-condition &arena-byte-limit arena-byte-limit? &arena-out-of-memory)
(define-condition &other-arena other-arena? &acre-error)
(define-condition &object-refused object-refused? &acre-error)
(define-condition &map-changed map-changed? &acre-error)

(define conditions
  ;; By what acre_status_name says.
  `(("stale" . ,&stale-reference)
    ("out of memory" . ,&arena-out-of-memory)
    ("byte limit" . ,&arena-byte-limit)
    ("other arena" . ,&other-arena)
    ("no objects" . ,&object-refused)
    ("changed" . ,&map-changed)))

;; An index and a wrong type are what they are elsewhere in Guile.
(define keys
  '(("out of range" . out-of-range) ("wrong kind" . wrong-type-arg)))

(define (raise-failure who status message irritants)
  "Called from C."
  (let ((message (if (string-prefix? "acre: " message)
                     (string-drop message 6)
                     message))
        (key (assoc-ref keys status)))
    (if key
        (scm-error key who "~A" (list message) irritants)
        (raise-exception
         (make-exception
          ((record-constructor (or (assoc-ref conditions status) &acre-error)))
          (make-exception-with-origin who)
          (make-exception-with-message message)
          (make-exception-with-irritants irritants))))))

(let ((file (or (search-path %load-path "acre.scm")
                (current-filename)
                (error "acre: the folder of acre.scm is not in %load-path:\
 guile -L FOLDER"))))
  (load-extension (string-append (dirname file) "/acre-guile")
                  "acre_guile_init"))

;;; ------------------------------------------------------------------ arenas

(define %collected 1)
(define %holds-objects 2)

(define* (make-arena #:optional (name "arena") #:key objects? (byte-limit 0))
  "A new arena, which is empty: make maps, vectors and strings in it. It ends
when neither it nor anything in it is referred to any more. NAME is for messages.
With OBJECTS?, Scheme objects may be keys and values. BYTE-LIMIT is the most that
it may take from the system; 0: no limit. Raises &arena-out-of-memory."
  (%make-arena name
               (logior %collected (if objects? %holds-objects 0))
               byte-limit))

(define* (call-with-arena proc #:key (name "scratch") objects? (byte-limit 0))
  "Calls PROC with a new arena, and returns what PROC does. The arena ends when
PROC is left, by return, error or continuation: handles of what is in it are
stale then, also where a continuation enters PROC again. See arena-copy for
results."
  (let ((arena (%make-arena name (if objects? %holds-objects 0) byte-limit)))
    (dynamic-wind
      (const #t)
      (lambda () (proc arena))
      (lambda () (%end-arena! arena)))))

(define-record-type <arena-mark>
  (make-arena-mark bytes)
  arena-mark?
  (bytes mark-bytes))
(set-record-type-printer! <arena-mark>
                          (lambda (mark port) (display "#<arena-mark>" port)))

(define (arena-checkpoint arena)
  "A mark for arena-rewind!. While it is open, what is older cannot be changed:
that raises &acre-error."
  (make-arena-mark (%arena-checkpoint arena)))

(define (arena-rewind! arena mark)
  "Ends all that was made in ARENA since MARK, which is used up, as are younger
ones. Raises &stale-reference for a mark that is not open in this arena."
  (unless (arena-mark? mark)
    (scm-error 'wrong-type-arg 'arena-rewind!
               "Wrong type argument in position 2 (expecting arena mark): ~S"
               (list mark) (list mark)))
  (%arena-rewind! arena (mark-bytes mark)))

(define (arena-audit handle)
  "What is wrong with pointers in an arena, or in what a map, vector or string
reaches: a list of association lists. The first is ((record . \"audit\")
(leaks . 0) ...), one with (record . \"finding\") for each finding follows, then
one with (record . \"summary\"). Linear."
  (json-lines->list (%audit-lines handle)))

(define (arena-findings arena)
  "What audits at collections have found since the last call, in the form of
arena-audit; () if nothing, as always with a release build of acre."
  (json-lines->list (%finding-lines arena)))

;;; -------------------------------------------------------------------- maps

(define-syntax-rule (for-each-entry (key value) map who body ...)
  (let ((cursor (%cursor)))
    (let next ((entry (%next-entry map cursor who)))
      (when entry
        (let ((key (car entry)) (value (cdr entry)))
          body ...)
        (next (%next-entry map cursor who))))))

(define arena-map-count
  (case-lambda
    "The number of entries of a map; with a predicate of key and value before
the map, of those that satisfy it."
    ((map) (%arena-map-size map))
    ((pred map)
     (arena-map-fold (lambda (key value count)
                       (if (pred key value) (+ count 1) count))
                     0 map))))

(define (arena-map-for-each proc map)
  "Calls PROC with each key and value, in no order that matters. Values may be
replaced meanwhile; inserting and deleting raises &map-changed at the next
step. PROC may be left for good; a continuation that comes back goes on where
the walk stands by then."
  (for-each-entry (key value) map 'arena-map-for-each
    (proc key value)))

(define (arena-map-fold proc init map)
  "(PROC key value previous) for each entry, as hash-fold; the last result."
  (let ((result init))
    (for-each-entry (key value) map 'arena-map-fold
      (set! result (proc key value result)))
    result))

(define (arena-map->alist map)
  "The entries as a fresh association list. What is nested stays a handle."
  (arena-map-fold acons '() map))

(define (alist->arena-map arena alist)
  "A new map with the entries of ALIST; of equal keys the first counts."
  (let ((map (arena-map arena (length alist))))
    (for-each (lambda (entry) (arena-map-set! map (car entry) (cdr entry)))
              (reverse alist))
    map))

;;; ----------------------------------------------------------------- vectors

(define (require-vector who vector)
  (unless (arena-vector? vector)
    (scm-error 'wrong-type-arg who
               "Wrong type argument in position 1 (expecting arena-vector): ~S"
               (list vector) (list vector))))

(define (arena-vector-pop! vector)
  "Removes the last element, and returns it; out-of-range if there is none."
  (require-vector 'arena-vector-pop! vector)
  (let* ((last (- (arena-vector-length vector) 1))
         (element (if (< last 0)
                      (scm-error 'out-of-range 'arena-vector-pop!
                                 "the vector is empty: ~S" (list vector)
                                 (list vector))
                      (arena-vector-ref vector last))))
    (arena-vector-delete! vector last)
    element))

(define (arena-vector-for-each proc vector)
  "Calls PROC with each element, first to last. What is appended meanwhile is
walked too."
  (let next ((i 0))
    (when (< i (arena-vector-length vector))
      (proc (arena-vector-ref vector i))
      (next (+ i 1)))))

(define (arena-vector-fold proc init vector)
  "(PROC element previous) for each element, as fold; the last result."
  (let ((result init))
    (arena-vector-for-each (lambda (element)
                             (set! result (proc element result)))
                           vector)
    result))

(define* (arena-vector->list vector #:optional (start 0)
                             (end (and (arena-vector? vector)
                                       (arena-vector-length vector))))
  "The elements from START to before END as a fresh list."
  (require-vector 'arena-vector->list vector)
  (unless (and (exact-integer? start) (exact-integer? end)
               (<= 0 start end (arena-vector-length vector)))
    (scm-error 'out-of-range 'arena-vector->list
               "no range of ~A elements: ~S to ~S"
               (list (arena-vector-length vector) start end)
               (list start end)))
  (let next ((i (- end 1)) (elements '()))
    (if (< i start)
        elements
        (next (- i 1) (cons (arena-vector-ref vector i) elements)))))

(define (list->arena-vector arena elements)
  "A new vector of the elements of a list."
  (let ((vector (arena-vector arena)))
    (for-each (lambda (element) (arena-vector-push! vector element)) elements)
    vector))

(define (sort-by-procedure vector less)
  "The sorted elements go behind the others, which are deleted when all are
there: what fails meanwhile leaves the vector as it was."
  (let* ((count (arena-vector-length vector))
         (sorted (stable-sort (arena-vector->list vector) less)))
    (unless (= count (arena-vector-length vector))
      (raise-failure 'arena-vector-sort! "changed"
                     "the vector was changed while it was sorted"
                     (list vector)))
    (with-exception-handler
        (lambda (e)
          (when (arena-live? vector) (arena-vector-resize! vector count))
          (raise-exception e))
      (lambda ()
        (for-each (lambda (element) (arena-vector-push! vector element))
                  sorted))
      #:unwind? #t)
    (arena-vector-delete! vector 0 count)))

(define* (arena-vector-sort! vector #:optional less)
  "Sorts, stable, without LESS in acre's own order: the empty list, booleans,
numbers by value, characters, strings by their UTF-8, symbols, bytevectors;
wrong-type-arg where there are handles, other objects or NaNs. With LESS by that,
at the price of a copy. What fails changes nothing. n log n."
  (require-vector 'arena-vector-sort! vector)
  (cond
   ((not less) (%arena-vector-sort! vector))
   ((procedure? less) (sort-by-procedure vector less))
   (else (scm-error 'wrong-type-arg 'arena-vector-sort!
                    "Wrong type argument in position 2 (expecting procedure): ~S"
                    (list less) (list less)))))

;;; ----------------------------------------------------------------- strings

(define* (arena-string arena #:optional (text ""))
  "A new string that grows, beginning with TEXT."
  (let ((string (%arena-string arena)))
    (%arena-string-append! string text)
    string))

(define (arena-string-append! string . values)
  "Appends strings, characters, bytevectors and arena strings as they are,
symbols by name, numbers as JSON writes them, NaN and infinities as null, booleans
as true and false, () as null; wrong-type-arg for others, what stands before them
is appended."
  (for-each (lambda (value) (%arena-string-append! string value)) values))

;;; ------------------------------------------ what is written in C, documented

(define-syntax-rule (document (procedure text) ...)
  (begin (set-procedure-property! procedure 'documentation text) ...))

(document
 (arena? "Whether it is an arena.")
 (arena-name "(arena-name ARENA): its name, a string; of an ended one too.")
 (arena-reset! "(arena-reset! ARENA [RELEASE?]): ends all that is in the arena,
which can be used on. Its memory is kept for that, unless RELEASE? is true.
Handles of what was in it are stale.")
 (arena-stats "(arena-stats ARENA): an association list of numbers: chunks in
use, reserved bytes held from the system, live bytes handed out, resets.")
 (set-arena-byte-limit! "(set-arena-byte-limit! ARENA BYTES): the most that the
arena may take from the system; 0 or #f: no limit. What it has already stays.")
 (arena-live? "(arena-live? HANDLE): #f once the arena, or what the handle refers
to, has ended.")
 (arena-free! "(arena-free! HANDLE): ends one map, vector or string; its memory is
used again, but for a header, until the arena is reset. As a key of a map it can
still be deleted. Raises &stale-reference where it has ended.")
 (arena-copy "(arena-copy HANDLE ARENA): a copy of a map, vector or string and of
all that it reaches, in ARENA; its handle. Sharing and cycles are kept, Scheme
objects shared. What has ended stays so.")
 (arena-map "(arena-map ARENA [SIZE]): a new map without entries, with room for
SIZE of them.")
 (arena-map? "Whether it is a handle of a map in an arena.")
 (arena-map-ref "(arena-map-ref MAP KEY [DEFAULT]): the value, or DEFAULT, or #f.
Strings and bytevectors are copies; what is nested is a new handle.")
 (arena-map-set! "(arena-map-set! MAP KEY VALUE): inserts, or replaces the value.
Raises &object-refused, &other-arena, &arena-out-of-memory; nothing has changed
then.")
 (arena-map-delete! "(arena-map-delete! MAP KEY): removes an entry; #t if there was
one.")
 (arena-map-clear! "(arena-map-clear! MAP): removes all entries.")
 (arena-vector "(arena-vector ARENA [LENGTH]): a new vector, of LENGTH empty
lists.")
 (arena-vector? "Whether it is a handle of a vector in an arena.")
 (arena-vector-length "(arena-vector-length VECTOR): the number of elements.")
 (arena-vector-ref "(arena-vector-ref VECTOR INDEX): an element; out-of-range
behind the last.")
 (arena-vector-set! "(arena-vector-set! VECTOR INDEX VALUE): replaces an element.")
 (arena-vector-insert! "(arena-vector-insert! VECTOR INDEX VALUE): before the
element at INDEX; behind the last at the length.")
 (arena-vector-push! "(arena-vector-push! VECTOR VALUE): behind the last element.")
 (arena-vector-delete! "(arena-vector-delete! VECTOR INDEX [COUNT]): removes COUNT
elements, 1 by default, from INDEX on.")
 (arena-vector-resize! "(arena-vector-resize! VECTOR LENGTH): cuts, or appends
empty lists.")
 (arena-string? "Whether it is a handle of a string in an arena.")
 (arena-string->string "(arena-string->string STRING): the text so far, fresh.
Bytes that are no UTF-8 are question marks.")
 (arena-string-length "(arena-string-length STRING): its length in bytes of
UTF-8.")
 (arena-string-truncate! "(arena-string-truncate! STRING BYTES): cuts behind so
many bytes of UTF-8; out-of-range where there are fewer."))
