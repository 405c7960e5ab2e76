;;;; SPDX-License-Identifier: MIT
;;;;
;;;; The Guile module as its users use it: each procedure, each error. The last
;;;; line is "N passed, N failed". ACRE_TEST_CHECKED is 1 for a checked build,
;;;; ACRE_TEST_LEAKY the extension that leaks.

(use-modules (acre)
             (ice-9 exceptions)
             (ice-9 format)
             (ice-9 match)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (system foreign)
             (system foreign-library))

(define checked? (equal? (getenv "ACRE_TEST_CHECKED") "1"))

;;; ------------------------------------------------------------------ helpers

(define (condition thunk)
  "What THUNK raises; #f if it returns."
  (with-exception-handler
      (lambda (e) e)
    (lambda () (thunk) #f)
    #:unwind? #t))

(define-syntax-rule (raised form ...)
  (condition (lambda () form ...)))

(define (text-of e)
  "The message with what was filled in."
  (let ((message (exception-message e))
        (irritants (exception-irritants e)))
    (if (string-contains message "~")
        (apply format #f message irritants)
        message)))

(define (says? e . parts)
  (every (lambda (part) (->bool (string-contains (text-of e) part))) parts))

(define (key-of e) (exception-kind e))

(define (who-of e)
  "Guile's own functions in C say it as a string."
  (let ((who (exception-origin e)))
    (if (string? who) (string->symbol who) who)))

(define (pressure)
  "Garbage, so that what is free is used again."
  (let loop ((i 0) (l '()))
    (when (< i 100000)
      (loop (+ i 1)
            (if (zero? (modulo i 1000)) '() (cons (make-vector 8 i) l))))))

(define (printed object) (call-with-output-string (lambda (p) (write object p))))

(define-syntax-rule (with-map (arena map) body ...)
  (let* ((arena (make-arena "game"))
         (map (arena-map arena)))
    body ...))

;;; ---------------------------------------------------------------- the tests

(define runner (test-runner-simple))
(test-runner-on-final! runner (const #t))
(test-runner-on-test-end!
 runner
 (lambda (runner)
   (unless (memq (test-result-kind runner) '(pass skip))
     (format #t "FAILED ~a~%  ~s~%" (test-runner-test-name runner)
             (test-result-alist runner)))))
(test-runner-on-group-begin! runner (const #t))
(test-runner-on-group-end! runner (const #t))
(test-runner-factory (lambda () runner))

(test-begin "acre")

;;; ------------------------------------------------------------------- values

(define values-that-return
  (list "text" "" "über \U01f600" (make-string 100000 #\x) "with\0zero"
        'symbol (string->symbol "a symbol with ü") 0 -1 (expt 2 40)
        (- (expt 2 63) 1) (- (expt 2 63)) 1.5 -0.0 +inf.0 #t #f #\a #\x1F600
        (u8-list->bytevector '(0 255 7)) (make-bytevector 0) '()))

(for-each
 (lambda (value)
   (test-equal (format #f "as a value: ~,,,,20s" (printed value))
     value
     (with-map (arena map)
       (arena-map-set! map "key" value)
       (arena-map-ref map "key" 'absent)))
   (test-equal "as a key" 'found
     (with-map (arena map)
       (arena-map-set! map value 'found)
       (arena-map-ref map value)))
   (test-equal "as an element" value
     (let ((vector (arena-vector (make-arena))))
       (arena-vector-push! vector value)
       (arena-vector-ref vector 0))))
 values-that-return)

(test-assert "a NaN is one key"
  (with-map (arena map)
    (arena-map-set! map +nan.0 1)
    (arena-map-set! map (- +nan.0) 2)
    (and (= 1 (arena-map-count map)) (nan? (caar (arena-map->alist map))))))
(test-equal "kinds of keys are told apart" '(int real text symbol)
  (with-map (arena map)
    (arena-map-set! map 1 'int)
    (arena-map-set! map 1.0 'real)
    (arena-map-set! map "a" 'text)
    (arena-map-set! map 'a 'symbol)
    (map-in-order (lambda (key) (arena-map-ref map key)) '(1 1.0 "a" a))))
(test-assert "texts are copied, in and out"
  (with-map (arena map)
    (let ((key (string-copy "key")) (value (string-copy "value")))
      (arena-map-set! map key value)
      (string-set! key 0 #\K)
      (string-set! value 0 #\V)
      (string-set! (arena-map-ref map "key") 1 #\x)
      (equal? "value" (arena-map-ref map "key")))))
(test-assert "what is no UTF-8 has question marks"
  (let ((s (arena-string (make-arena) "ü")))
    (arena-string-truncate! s 1)
    (string? (arena-string->string s))))

(for-each
 (match-lambda
   ((value key)
    (let ((e (raised (with-map (arena map) (arena-map-set! map "k" value)))))
      (test-equal (format #f "refused as a value: ~a" value) key (key-of e))
      (test-eq "by whom" 'arena-map-set! (who-of e)))
    (test-equal "refused as a key" key
      (key-of (raised (with-map (arena map) (arena-map-ref map value)))))
    (test-equal "refused where objects are held, too" key
      (key-of (raised (arena-vector-push!
                       (arena-vector (make-arena #:objects? #t)) value))))))
 `((,(expt 2 63) out-of-range) (,(- (+ (expt 2 63) 1)) out-of-range)
   (1/2 wrong-type-arg) (1+2i wrong-type-arg)))

;;; --------------------------------------------------------------------- maps

(test-equal "an absent key" '(#f 7 #f)
  (with-map (arena map)
    (list (arena-map-ref map "no") (arena-map-ref map "no" 7)
          (arena-map-delete! map "no"))))
(test-equal "set, replace, delete, clear" '(2 1 #t 1 0)
  (with-map (arena map)
    (arena-map-set! map "a" 1)
    (arena-map-set! map "b" 2)
    (arena-map-set! map "b" 3)
    (let* ((two (arena-map-count map))
           (one (arena-map-ref map "a"))
           (was (arena-map-delete! map "a"))
           (left (arena-map-count map)))
      (arena-map-clear! map)
      (list two one was left (arena-map-count map)))))
(test-equal "count with a predicate" 50
  (with-map (arena map)
    (for-each (lambda (i) (arena-map-set! map i (* i i))) (iota 100))
    (arena-map-count (lambda (key value) (even? value)) map)))
(test-equal "fold and for-each see each entry once" '(4950 328350)
  (with-map (arena map)
    (for-each (lambda (i) (arena-map-set! map i (* i i))) (iota 100))
    (let ((sum 0))
      (arena-map-for-each (lambda (key value) (set! sum (+ sum key))) map)
      (list sum (arena-map-fold (lambda (key value sum) (+ sum value)) 0 map)))))
(test-equal "association lists" '((1 . "one") (2 . "two"))
  (sort (arena-map->alist
         (alist->arena-map (make-arena)
                           '((1 . "one") (2 . "two") (1 . "not this"))))
        (lambda (a b) (< (car a) (car b)))))
(test-equal "values may be replaced in a walk" 100
  (with-map (arena map)
    (for-each (lambda (i) (arena-map-set! map i 1)) (iota 100))
    (arena-map-for-each (lambda (key value) (arena-map-set! map key 0)) map)
    (arena-map-count (lambda (key value) (= value 0)) map)))
(let ((e (raised (with-map (arena map)
                   (for-each (lambda (i) (arena-map-set! map i i)) (iota 9))
                   (arena-map-for-each
                    (lambda (key value) (arena-map-delete! map key))
                    map)))))
  (test-assert "deleting in a walk is noticed" (map-changed? e))
  (test-eq "in for-each" 'arena-map-for-each (exception-origin e)))
(test-equal "a walk may be left" 'left
  (with-map (arena map)
    (arena-map-set! map 1 1)
    (call/cc (lambda (k) (arena-map-for-each (lambda (key value) (k 'left))
                                             map)))))
(test-equal "a map with room" 0 (arena-map-count (arena-map (make-arena) 1000)))
(test-assert "nested, shared, and in itself"
  (with-map (arena map)
    (let ((inner (arena-map arena)))
      (arena-map-set! map "inner" inner)
      (arena-map-set! map "self" map)
      (arena-map-set! inner "x" 1)
      (and (equal? 1 (arena-map-ref (arena-map-ref map "inner") "x"))
           (equal? inner (arena-map-ref map "inner"))
           (not (eq? inner (arena-map-ref map "inner")))
           (equal? map (arena-map-ref map "self"))
           (not (equal? map inner))))))
(test-assert "handles in a hash table of Guile's"
  (with-map (arena map)
    (let ((inner (arena-map arena)) (table (make-hash-table)))
      (arena-map-set! map "inner" inner)
      (hash-set! table inner 'found)
      (eq? 'found (hash-ref table (arena-map-ref map "inner"))))))
(test-equal "maps, vectors and strings as keys" '(map vector string)
  (with-map (arena map)
    (let ((keys (list (arena-map arena) (arena-vector arena)
                      (arena-string arena))))
      (for-each (lambda (key value) (arena-map-set! map key value))
                keys '(map vector string))
      (map-in-order (lambda (key) (arena-map-ref map key)) keys))))

;;; ------------------------------------------------------------------ vectors

(test-equal "vectors" '(3 (1 "two" three) (0 1 "two" three) ("two" three)
                        three (0 1 "two"))
  (let ((v (list->arena-vector (make-arena) '(1 "two" three))))
    (let* ((length (arena-vector-length v))
           (all (arena-vector->list v))
           (more (begin (arena-vector-insert! v 0 0) (arena-vector->list v)))
           (part (arena-vector->list v 2 4))
           (last (arena-vector-pop! v)))
      (list length all more part last (arena-vector->list v)))))
(test-equal "resize, set, delete" '((() 5 ()) (5) ())
  (let ((v (arena-vector (make-arena) 3)))
    (arena-vector-set! v 1 5)
    (let ((all (arena-vector->list v)))
      (arena-vector-delete! v 0)
      (arena-vector-resize! v 1)
      (let ((one (arena-vector->list v)))
        (arena-vector-delete! v 0 1)
        (list all one (arena-vector->list v))))))
(test-equal "fold and for-each" '(6 (3 2 1))
  (let ((v (list->arena-vector (make-arena) '(1 2 3))) (seen '()))
    (arena-vector-for-each (lambda (x) (set! seen (cons x seen))) v)
    (list (arena-vector-fold + 0 v) seen)))
(test-equal "sorted in acre's order" '(() #f 1 1.5 2 #\a "a" "b" sym)
  (let ((v (list->arena-vector (make-arena)
                               '(sym "b" 2 #\a 1.5 "a" #f () 1))))
    (arena-vector-sort! v)
    (arena-vector->list v)))
(test-equal "sorted by a procedure" '("ccc" "bb" "a")
  (let ((v (list->arena-vector (make-arena) '("a" "bb" "ccc"))))
    (arena-vector-sort! v (lambda (a b)
                            (> (string-length a) (string-length b))))
    (arena-vector->list v)))
(test-equal "a sort that fails changes nothing" '(3 1 2)
  (let ((v (list->arena-vector (make-arena) '(3 1 2))))
    (raised (arena-vector-sort! v (lambda (a b) (error "no"))))
    (arena-vector->list v)))
(let ((e (raised (arena-vector-sort!
                  (list->arena-vector (make-arena) '(1 +nan.0))))))
  (test-eq "NaNs are not sorted" 'wrong-type-arg (key-of e)))
(for-each
 (match-lambda
   ((name thunk)
    (let ((e (raised (thunk (list->arena-vector (make-arena) '(1 2))))))
      (test-eq (format #f "out of range: ~a" name) 'out-of-range (key-of e))
      (test-eq "by whom" name (who-of e)))))
 `((arena-vector-ref ,(lambda (v) (arena-vector-ref v 2)))
   (arena-vector-set! ,(lambda (v) (arena-vector-set! v 2 0)))
   (arena-vector-insert! ,(lambda (v) (arena-vector-insert! v 3 0)))
   (arena-vector-delete! ,(lambda (v) (arena-vector-delete! v 1 2)))
   (arena-vector->list ,(lambda (v) (arena-vector->list v 1 3)))
   (arena-vector-pop! ,(lambda (v)
                         (arena-vector-resize! v 0)
                         (arena-vector-pop! v)))))
(for-each
 (lambda (size)
   (for-each
    (match-lambda
      ((name thunk)
       (let ((e (raised (thunk))))
         (test-eq (format #f "~a with ~a" name size)
           (if (exact-integer? size) 'out-of-range 'wrong-type-arg)
           (key-of e))
         (test-eq "by whom" name (who-of e))
         (test-assert "and it prints"
           (string? (call-with-output-string
                      (lambda (port)
                        (print-exception port #f (exception-kind e)
                                         (exception-args e)))))))))
    (let* ((arena (make-arena)) (v (arena-vector arena 1)))
      `((arena-vector-ref ,(lambda () (arena-vector-ref v size)))
        (arena-vector-set! ,(lambda () (arena-vector-set! v size 1)))
        (arena-vector-insert! ,(lambda () (arena-vector-insert! v size 1)))
        (arena-vector-delete! ,(lambda () (arena-vector-delete! v 0 size)))
        (arena-vector-resize! ,(lambda () (arena-vector-resize! v size)))
        (arena-vector ,(lambda () (arena-vector arena size)))
        (arena-map ,(lambda () (arena-map arena size)))
        (arena-string-truncate! ,(lambda () (arena-string-truncate!
                                             (arena-string arena) size)))
        (set-arena-byte-limit! ,(lambda () (set-arena-byte-limit! arena size)))
        (make-arena ,(lambda () (make-arena "x" #:byte-limit size)))))))
 (list -1 (expt 2 80) 0.5 "one"))
(test-assert "a sort that runs out of memory changes nothing"
  (let* ((arena (make-arena #:byte-limit 70000))
         (text (make-string 1000 #\x))
         (v (list->arena-vector arena (iota 40)))
         (elements (arena-vector->list v)))
    (arena-vector-insert! v 0 text)
    (let loop () (unless (raised (arena-vector-push! v text)) (loop)))
    (let* ((before (arena-vector->list v))
           (e (raised (arena-vector-sort! v (lambda (a b) (string? b))))))
      (and (arena-byte-limit? e)
           (equal? before (arena-vector->list v))))))
(test-assert "a sort whose procedure changes the vector"
  (let* ((v (list->arena-vector (make-arena) '(3 1 2)))
         (e (raised (arena-vector-sort! v (lambda (a b)
                                            (arena-vector-push! v 4)
                                            (< a b))))))
    (and (map-changed? e)
         (equal? '(3 1 2) (list-head (arena-vector->list v) 3)))))
(test-eq "a procedure that is none" 'wrong-type-arg
  (key-of (raised (arena-vector-sort! (arena-vector (make-arena) 1) 5))))

(test-equal "every procedure is documented" '()
  (let ((interface (resolve-interface '(acre))))
    (filter (lambda (name)
              (let ((value (module-ref interface name)))
                (and (procedure? value)
                     (not (string-suffix? "?" (symbol->string name)))
                     (not (procedure-documentation value)))))
            (module-map (lambda (name variable) name) interface))))

;;; ------------------------------------------------------------------ strings

(test-equal "strings that grow" "begin, über 1 2.5 sym x true"
  (let ((s (arena-string (make-arena) "begin")))
    (arena-string-append! s ", über " 1 " " 2.5 " " 'sym " " #\x " " #t)
    (arena-string->string s)))
(test-equal "length and truncate, in bytes" '(6 "ü")
  (let ((s (arena-string (make-arena) "ütext")))
    (let ((length (arena-string-length s)))
      (arena-string-truncate! s 2)
      (list length (arena-string->string s)))))
(test-equal "one behind another" "abab"
  (let* ((arena (make-arena)) (s (arena-string arena "ab")))
    (arena-string-append! s s)
    (arena-string->string s)))

;;; ------------------------------------------------------------------- errors

(test-assert "what is stale says so, by whom, of what"
  (with-map (arena map)
    (arena-map-set! map "a" 1)
    (arena-reset! arena)
    (let ((e (raised (arena-map-ref map "a"))))
      (and (stale-reference? e) (acre-error? e) (error? e)
           (eq? 'arena-map-ref (exception-origin e))
           (says? e "arena 'game'" "reset")
           (equal? (list map "a") (exception-irritants e))))))
(for-each
 (lambda (use)
   (test-assert "stale"
     (let* ((arena (make-arena))
            (all (list (arena-map arena) (arena-vector arena)
                       (arena-string arena))))
       (arena-reset! arena)
       (stale-reference? (raised (apply use all))))))
 (list (lambda (m v s) (arena-map-set! m 1 1))
       (lambda (m v s) (arena-map-delete! m 1))
       (lambda (m v s) (arena-map-count m))
       (lambda (m v s) (arena-map-clear! m))
       (lambda (m v s) (arena-map->alist m))
       (lambda (m v s) (arena-vector-ref v 0))
       (lambda (m v s) (arena-vector-push! v 0))
       (lambda (m v s) (arena-vector-length v))
       (lambda (m v s) (arena-vector->list v))
       (lambda (m v s) (arena-string-append! s "x"))
       (lambda (m v s) (arena-string->string s))
       (lambda (m v s) (arena-free! m))
       (lambda (m v s) (arena-audit m))
       (lambda (m v s) (arena-copy m (make-arena)))
       (lambda (m v s) (arena-map-set! (arena-map (make-arena)) 1 m))))
(test-assert "another arena's map is refused"
  (with-map (arena map)
    (let ((e (raised (arena-map-set! map "k" (arena-map (make-arena "other"))))))
      (and (other-arena? e) (says? e "'other'" "'game'")))))
(test-assert "objects are refused, with the arena's name"
  (with-map (arena map)
    (let ((e (raised (arena-map-set! map "k" (list 1 2)))))
      (and (object-refused? e) (says? e "arena 'game'")
           (equal? (list map "k" '(1 2)) (exception-irritants e))
           (eq? #f (arena-map-ref map "k"))
           (eq? #f (arena-map-ref map (list 1 2)))))))
(test-assert "a byte limit"
  (let* ((arena (make-arena "small" #:byte-limit 1000000))
         (map (arena-map arena))
         (e (raised (let loop ((i 0))
                      (arena-map-set! map i "a text")
                      (loop (+ i 1)))))
         (count (arena-map-count map)))
    (and (arena-byte-limit? e) (arena-out-of-memory? e)
         (says? e "arena 'small'")
         (> count 1000)
         (every (lambda (i) (equal? "a text" (arena-map-ref map i)))
                (iota count))
         (begin (set-arena-byte-limit! arena #f)
                (arena-map-set! map count "a text")
                (= (+ count 1) (arena-map-count map))))))
(test-assert "more than there is"
  (let ((e (raised (arena-vector (make-arena) (expt 2 60)))))
    (arena-out-of-memory? e)))
(for-each
 (match-lambda
   ((thunk who)
    (let ((e (raised (thunk))))
      (test-eq (format #f "a wrong type: ~a" who) 'wrong-type-arg (key-of e))
      (test-eq "by whom" who (who-of e)))))
 `((,(lambda () (arena-map-ref (make-hash-table) 1)) arena-map-ref)
   (,(lambda () (arena-map-ref (make-arena) 1)) arena-map-ref)
   (,(lambda () (arena-map-ref (arena-vector (make-arena)) 1)) arena-map-ref)
   (,(lambda () (arena-map-set! 1 1 1)) arena-map-set!)
   (,(lambda () (arena-vector-ref (arena-map (make-arena)) 1))
    arena-vector-ref)
   (,(lambda () (arena-string->string "a string")) arena-string->string)
   (,(lambda () (arena-map "no arena")) arena-map)
   (,(lambda () (arena-stats 5)) arena-stats)
   (,(lambda () (arena-free! (make-arena))) arena-free!)
   (,(lambda () (arena-rewind! (make-arena) 5)) arena-rewind!)
   (,(lambda () (make-arena 5)) make-arena)))
(test-assert "conditions print, uncaught too"
  (let ((e (raised (arena-map-set! (arena-map (make-arena)) 1 (list 1)))))
    (string-contains
     (call-with-output-string
       (lambda (port) (print-exception port #f '%exception (list e))))
     "object-refused")))

;;; ----------------------------------------------------------------- lifetime

(test-equal "call-with-arena returns what is returned" '(1 2)
  (call-with-values
      (lambda () (call-with-arena (lambda (arena) (values 1 2))))
    list))
(define escaped #f)
(test-assert "left by return, what was in it is stale"
  (begin
    (call-with-arena (lambda (arena) (set! escaped (arena-map arena))))
    (and (stale-reference? (raised (arena-map-ref escaped 1)))
         (not (arena-live? escaped))
         (equal? "#<arena-map stale>" (printed escaped)))))
(test-assert "left by an error"
  (begin
    (raised (call-with-arena (lambda (arena)
                               (set! escaped (arena-map arena))
                               (error "left"))))
    (not (arena-live? escaped))))
(test-assert "left by a continuation"
  (begin
    (let ((result (call/cc (lambda (k)
                             (call-with-arena
                              (lambda (arena)
                                (set! escaped arena)
                                (k 'left)))))))
      (and (eq? result 'left) (not (arena-live? escaped))))))
(test-assert "entered again, it stays ended"
  (let ((again #f) (times 0) (outcome '()))
    (call-with-arena
     (lambda (arena)
       (call/cc (lambda (k) (set! again k)))
       (set! times (+ times 1))
       (set! outcome
             (cons (raised (arena-map arena)) outcome))))
    (when (< times 3) (again #f))
    (match outcome
      ((third second first)
       (and (not first) (stale-reference? second)
            (stale-reference? third))))))
(test-assert "a result leaves it as a copy"
  (let* ((home (make-arena "home"))
         (copy (call-with-arena
                (lambda (arena)
                  (let ((map (arena-map arena)))
                    (arena-map-set! map "list"
                                    (list->arena-vector arena '("a" "b")))
                    (arena-map-set! map "self" map)
                    (arena-copy map home))))))
    (and (equal? '("a" "b")
                 (arena-vector->list (arena-map-ref copy "list")))
         (equal? copy (arena-map-ref copy "self")))))
(test-assert "a thousand, one in another"
  (begin
    (let loop ((depth 0))
      (when (< depth 1000)
        (call-with-arena
         (lambda (arena)
           (arena-map-set! (arena-map arena) 1 1)
           (loop (+ depth 1))))))
    #t))
(test-equal "checkpoint and rewind" '(1 #f #t)
  (with-map (arena map)
    (arena-map-set! map "old" 1)
    (let* ((mark (arena-checkpoint arena)) (young (arena-map arena)))
      (arena-map-set! young 1 1)
      (let ((e (raised (arena-map-set! map "new" 1))))
        (arena-rewind! arena mark)
        (arena-map-set! map "new" 1)
        (list (arena-map-ref map "old") (arena-live? young)
              (and (acre-error? e) (says? e "older than an open mark")))))))
(test-assert "a mark is used once, in its arena"
  (let* ((arena (make-arena)) (mark (arena-checkpoint arena)))
    (and (equal? "#<arena-mark>" (printed mark))
         (stale-reference? (raised (arena-rewind! (make-arena) mark)))
         (begin (arena-rewind! arena mark) #t)
         (stale-reference? (raised (arena-rewind! arena mark))))))
(test-equal "free" '(#f #t)
  (with-map (arena map)
    (let ((inner (arena-map arena)))
      (arena-free! inner)
      (list (arena-live? inner)
            (stale-reference? (raised (arena-free! inner)))))))
(test-assert "statistics"
  (with-map (arena map)
    (for-each (lambda (i) (arena-map-set! map i i)) (iota 1000))
    (let ((live (assq-ref (arena-stats arena) 'live)))
      (arena-reset! arena #t)
      (let ((after (arena-stats arena)))
        (and (> live 16000) (= 0 (assq-ref after 'live))
             (= 1 (assq-ref after 'resets))
             (= 0 (assq-ref after 'reserved)))))))
(test-equal "names, predicates" '("game" #t #f #t #f #t #t)
  (with-map (arena map)
    (list (arena-name arena) (arena? arena) (arena? map) (arena-map? map)
          (arena-map? arena) (arena-vector? (arena-vector arena))
          (arena-string? (arena-string arena)))))
(test-equal "printing"
  '("#<arena-map \"game\" 1 entry>" "#<arena-vector \"game\" 2 elements>"
    "#<arena-string \"game\" 3 bytes>")
  (with-map (arena map)
    (arena-map-set! map 1 1)
    (map-in-order printed (list map (list->arena-vector arena '(1 2))
                                (arena-string arena "abc")))))
(test-assert "an arena prints too"
  (string-prefix? "#<arena \"game\" 0 bytes live>"
                  (printed (make-arena "game"))))

(test-assert "a map lives by its handle alone, through collections"
  (let ((map (arena-map (make-arena))))
    (for-each (lambda (i)
                (arena-map-set! map (string-append "key number "
                                                   (number->string i))
                                i))
              (iota 20000))
    (for-each (lambda (_) (pressure) (gc)) (iota 10))
    (every (lambda (i)
             (eqv? i (arena-map-ref map (string-append "key number "
                                                       (number->string i)))))
           (iota 20000))))
(test-assert "so it does by a nested handle"
  (let ((inner (let* ((arena (make-arena)) (map (arena-map arena)))
                 (arena-map-set! map "inner" (arena-vector arena))
                 (arena-map-ref map "inner"))))
    (for-each (lambda (i) (arena-vector-push! inner (number->string i)))
              (iota 20000))
    (for-each (lambda (_) (pressure) (gc)) (iota 5))
    (equal? (map-in-order number->string (iota 20000))
            (arena-vector->list inner))))

(define guardian (make-guardian))
(define (make-dropped)
  (let* ((arena (make-arena "dropped")) (map (arena-map arena)))
    (guardian arena)
    (for-each (lambda (i) (arena-map-set! map i "a text of some length, say"))
              (iota 1000))))
(define (drain)
  (let loop ((n 0)) (if (guardian) (loop (+ n 1)) n)))
(define (clear-stack depth)
  (if (= depth 0) 0 (+ 1 (clear-stack (- depth 1)))))
(define (drop-300)
  "How many of 300 a guardian has seen, and the heap's size then."
  (for-each (lambda (_) (make-dropped)) (iota 300))
  (clear-stack 1000)
  (let ((gone (fold (lambda (_ n)
                      (pressure) (gc) (usleep 10000) (+ n (drain)))
                    0 (iota 5))))
    ;; What a guardian has returned ends at the collection after.
    (pressure)
    (gc)
    (list gone (assq-ref (gc-stats) 'heap-size))))
(test-assert "300 arenas are dropped, and gone, again and again"
  (match (map-in-order (lambda (_) (drop-300)) (iota 5))
    (((gone1 size1) _ ... (gone5 size5))
     (or (and (>= gone1 295) (>= gone5 295) (< size5 (* 2.5 size1)))
         (begin (format #t "  ~a, ~a gone, ~a, ~a bytes~%"
                        gone1 gone5 size1 size5)
                #f)))))

;;; ------------------------------------------------------- objects of Scheme's

(define (fill-with-objects map)
  (for-each (lambda (i) (arena-map-set! map i (list i (number->string i))))
            (iota 1000)))
(test-assert "an arena that holds objects keeps them alive"
  (let ((map (arena-map (make-arena "objects" #:objects? #t))))
    (fill-with-objects map)
    (for-each (lambda (_) (pressure) (gc)) (iota 5))
    (every (lambda (i)
             (equal? (list i (number->string i)) (arena-map-ref map i)))
           (iota 1000))))
(test-assert "objects come back as they are, and are keys by eq?"
  (let* ((map (arena-map (make-arena #:objects? #t)))
         (pair (list 1)) (thunk (lambda () 1)))
    (arena-map-set! map pair thunk)
    (arena-map-set! map "unspecified" *unspecified*)
    (and (eq? thunk (arena-map-ref map pair))
         (not (arena-map-ref map (list 1)))
         (unspecified? (arena-map-ref map "unspecified")))))
(test-assert "cycles through the arena end"
  (let ((gone 0) (guardian (make-guardian)))
    (define (make-cycle)
      (let* ((arena (make-arena #:objects? #t)) (map (arena-map arena)))
        (guardian (let ((object (list map)))
                    (arena-map-set! map "object" object)
                    object))))
    (for-each (lambda (_) (make-cycle)) (iota 100))
    (clear-stack 1000)
    (for-each (lambda (_)
                (pressure) (gc) (usleep 10000)
                (let loop () (when (guardian) (set! gone (+ gone 1)) (loop))))
              (iota 5))
    (> gone 90)))

;;; -------------------------------------------------------------------- forks

;; Before there are threads: of those Guile warns.
(test-eqv "the child of a fork uses the arenas" 0
  (with-map (arena map)
    (arena-map-set! map "k" 1)
    (force-output)
    (let ((child (primitive-fork)))
      (if (zero? child)
          (primitive-_exit
           (if (false-if-exception
                (begin
                  (for-each (lambda (i) (arena-map-set! map i "child"))
                            (iota 1000))
                  (gc)
                  (call-with-arena (lambda (arena) (arena-map arena)))
                  (and (= 1001 (arena-map-count map))
                       (= 1 (arena-map-ref map "k")))))
               0 1))
          (status:exit-val (cdr (waitpid child)))))))

;;; ------------------------------------------------------------------ threads

(define (work id)
  (let ((map (arena-map (make-arena (format #f "thread ~a" id)))))
    (for-each (lambda (i)
                (arena-map-set! map (format #f "~a of ~a" i id) (+ i id))
                (when (zero? (modulo i 2000)) (gc)))
              (iota 5000))
    (every (lambda (i) (eqv? (+ i id) (arena-map-ref map (format #f "~a of ~a" i id))))
           (iota 5000))))
(test-equal "8 threads with an arena each" (make-list 8 #t)
  (map join-thread
       (map (lambda (id) (call-with-new-thread (lambda () (work id))))
            (iota 8))))
(test-equal "par-for-each with an arena each" 8
  (let ((done 0) (lock (make-mutex)))
    (par-for-each (lambda (id)
                    (when (work id)
                      (with-mutex lock (set! done (+ done 1)))))
                  (iota 8))
    done))
(test-equal "8 threads share one, by a lock" 8000
  (with-map (arena shared)
    (let ((lock (make-mutex)))
      (for-each join-thread
                (map (lambda (id)
                       (call-with-new-thread
                        (lambda ()
                          (for-each (lambda (i)
                                      (with-mutex lock
                                        (arena-map-set! shared
                                                        (+ (* 1000 id) i)
                                                        "text")))
                                    (iota 1000)))))
                     (iota 8)))
      (arena-map-count shared))))
(test-equal "a handle outlives the thread that made it" 7
  (let ((map (join-thread (call-with-new-thread
                           (lambda ()
                             (let ((map (arena-map (make-arena))))
                               (arena-map-set! map "k" 7)
                               map))))))
    (pressure) (gc)
    (arena-map-ref map "k")))

;;; ------------------------------------------------------------------- audits

(test-equal "an audit of what a map reaches" '("audit" 0 "summary")
  (with-map (arena map)
    (arena-map-set! map "a" "b")
    (let ((records (arena-audit map)))
      (list (assq-ref (first records) 'record)
            (assq-ref (first records) 'leaks)
            (assq-ref (last records) 'record)))))
(test-equal "no findings" '() (arena-findings (make-arena)))

(define leak!
  (let ((file (getenv "ACRE_TEST_LEAKY")))
    (and file
         (foreign-library-function (load-foreign-library file) "LeakIntoArena"
                                   #:arg-types '(*)))))
(when leak!
  (let ((arena (make-arena "leaky")))
    (leak! ((@@ (acre) %arena-pointer) arena))
    (let ((found (filter (lambda (r) (equal? "finding" (assq-ref r 'record)))
                         (arena-audit arena))))
      (test-assert "an audit shows a leak"
        (any (lambda (r) (assq-ref r 'is_leak)) found))
      (when checked?
        (test-equal "with its path" "leaky::Leaky.object"
          (assq-ref (first found) 'path))))
    (pressure)
    (gc)
    (arena-map arena)
    (let ((found (arena-findings arena)))
      (test-equal "a collection finds it by itself, in checked builds"
        (if checked? '("leaky::Leaky.object") '())
        (filter-map (lambda (r) (assq-ref r 'path)) found)))
    (test-equal "once" '() (arena-findings arena))))

(test-end "acre")
(format #t "~a passed, ~a failed~%"
        (test-runner-pass-count runner)
        (+ (test-runner-fail-count runner) (test-runner-xpass-count runner)))
(exit (if (zero? (test-runner-fail-count runner)) 0 1))
