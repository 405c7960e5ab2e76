;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Maps, vectors, strings and arenas in use. Part of acre-test.lisp.

(in-package "ACRE-TEST")

(defun key (i) (format nil "key number ~a" i))

(defun fill-map (map count)
  (dotimes (i count map) (setf (arena-map-ref map (key i)) i)))

(defun check-map (map count)
  (check-equal count (arena-map-count map))
  (dotimes (i count)
    (check-equal i (arena-map-ref map (key i)))))

(test "the version"
  (multiple-value-bind (version checked) (library-version)
    (check (digit-char-p (char version 0)))
    (check (member checked '(nil t)))))

(test "handles are told apart"
  (with-arena (arena)
    (let ((handles (list arena (make-arena-map arena) (make-arena-vector arena)
                         (make-arena-string arena))))
      (loop for (predicate . wanted)
              in '((arena-p t nil nil nil) (arena-ref-p nil t t t)
                   (arena-map-p nil t nil nil) (arena-vector-p nil nil t nil)
                   (arena-string-p nil nil nil t))
            do (check-equal wanted (mapcar predicate handles))
               (check (not (funcall predicate "arena")))))))

(test "a map as a hash table"
  (with-map (map)
    (check-equal nil (arena-map-ref map "k"))
    (check-equal 5 (arena-map-ref map "k" 5))
    (check-equal 1 (setf (arena-map-ref map "k") 1))
    (check-equal 1 (arena-map-ref map "k" 5))
    (setf (arena-map-ref map "k") nil)
    (check-equal nil (arena-map-ref map "k" 5))
    (setf (arena-map-ref map "k") 4)
    (incf (arena-map-ref map "k"))
    (incf (arena-map-ref map "new" 10))
    (check-equal 5 (arena-map-ref map "k"))
    (check-equal 11 (arena-map-ref map "new"))
    (check-equal 2 (arena-map-count map))))

(test "a large map against a hash table"
  (with-map (map)
    (let ((table (make-hash-table :test 'equal)) (state 12345))
      (flet ((next () (setf state (mod (+ (* state 1103515245) 12345)
                                       (expt 2 31)))))
        (dotimes (i 100000)
          (let ((key (key (mod (ash (next) -8) 5000))))
            (case (mod (ash (next) -8) 5)
              ((0 1 2) (setf (gethash key table) i (arena-map-ref map key) i))
              (3 (check (eq (and (remhash key table) t)
                            (arena-map-remove map key))))
              (t (check-equal (gethash key table) (arena-map-ref map key)))))))
      (check-equal (hash-table-count table) (arena-map-count map))
      (do-arena-map (key value map)
        (check-equal value (gethash key table))
        (remhash key table))
      (check-equal 0 (hash-table-count table)))))

(test "walks"
  (with-map (map)
    (fill-map map 1000)
    (let ((sum 0))
      (check-equal :done (do-arena-map (key value map :done)
                           (declare (type fixnum value))
                           (setf (arena-map-ref map key) (1+ value))
                           (when (oddp value) (go next))
                           (incf sum value)
                           next))
      (check-equal (loop for i below 1000 by 2 sum i) sum))
    (check-equal 500500 (let ((sum 0))
                          (map-arena-map (lambda (key value)
                                           (declare (ignore key))
                                           (incf sum value))
                                         map)
                          sum))
    (check-equal 42 (do-arena-map (key value map) (return 42)))
    (check-equal nil (map-arena-map 'list map))))

(test "walks inside walks"
  (with-map (map)
    (fill-map map 50)
    (let ((pairs 0))
      (do-arena-map (key value map)
        (do-arena-map (other value map) (incf pairs)))
      (check-equal 2500 pairs))))

(test "association lists"
  (with-arena (arena)
    (let ((map (alist-arena-map arena '((:a . 1) ("b" . "two") (:a . 3)))))
      (check-equal 2 (arena-map-count map))
      (check-equal 1 (arena-map-ref map :a))
      (check-equal '((:a . 1) ("b" . "two"))
                   (sort (arena-map-alist map) #'string<
                         :key (lambda (entry) (string-downcase (car entry)))))
      (check-equal '() (arena-map-alist (alist-arena-map arena '()))))))

(test "vectors"
  (with-arena (arena)
    (let ((vector (make-arena-vector arena
                                     :initial-contents '(1 "two" :three))))
      (check-equal 3 (arena-vector-length vector))
      (check-equal '(1 "two" :three) (arena-vector-list vector))
      (check-equal #\4 (arena-vector-push #\4 vector))
      (setf (arena-vector-ref vector 1) 2.5d0)
      (check-equal '(1 2.5d0 :three #\4) (arena-vector-list vector))
      (check-equal #\4 (arena-vector-pop vector))
      (check-equal :three (arena-vector-pop vector))
      (check-equal 2 (arena-vector-length vector))
      (check-equal 3.5d0 (let ((sum 0))
                           (do-arena-vector (x vector sum) (incf sum x))))
      (check-equal 1 (do-arena-vector (x vector) (return x)))
      (incf (arena-vector-ref vector 0) 9)
      (check-equal 10 (arena-vector-ref vector 0)))))

(test "a long vector"
  (with-arena (arena)
    (let ((vector (make-arena-vector arena :size 10)))
      (dotimes (i 100000) (arena-vector-push (if (evenp i) i (key i)) vector))
      (dotimes (i 100000)
        (check-equal (if (evenp i) i (key i)) (arena-vector-ref vector i)))
      (loop for i from 99999 downto 0
            do (check-equal (if (evenp i) i (key i)) (arena-vector-pop vector)))
      (check-equal 0 (arena-vector-length vector)))))

(test "sorting in acre's order"
  (with-arena (arena)
    (let ((vector (make-arena-vector
                   arena :initial-contents '("b" 3 :sym #\x nil "a" 1.5 -7 t))))
      (check (eq vector (arena-vector-sort vector)))
      (check-equal '(nil t -7 1.5d0 3 #\x "a" "b" :sym)
                   (arena-vector-list vector)))))

(test "sorting with a predicate"
  (with-arena (arena)
    (let ((vector (make-arena-vector arena :initial-contents
                                     '("pear" "fig" "apple" "kiwi"))))
      (arena-vector-sort vector #'< :key #'length)
      (check-equal '("fig" "pear" "kiwi" "apple") (arena-vector-list vector))
      (arena-vector-sort vector #'string>)
      (check-equal '("pear" "kiwi" "fig" "apple") (arena-vector-list vector))
      (check-signals simple-error
        (arena-vector-sort vector (lambda (a b) a b (error "no"))))
      (check-equal '("pear" "kiwi" "fig" "apple") (arena-vector-list vector)))))

(test "strings that grow"
  (with-arena (arena)
    (let ((string (make-arena-string arena))
          (other (make-arena-string arena "!")))
      (check-equal "" (arena-string-text string))
      (check (eq string
                 (arena-string-append string "abc" #\- 12 #\space 1.5d0)))
      (check-equal "abc-12 1.5" (arena-string-text string))
      (arena-string-append string (code-char 955) (code-points 233) other
                           :key nil t)
      (check-equal (format nil "abc-12 1.5~a~a!:KEYnulltrue" (code-char 955)
                           (code-char 233))
                   (arena-string-text string))
      (let ((long (make-arena-string arena "x")))
        (dotimes (i 50000) (arena-string-append long "0123456789"))
        (check-equal 500001 (length (arena-string-text long)))))))

(test "names, statistics and audits"
  (let ((arena (make-arena :name (code-points 71 955))))
    (check-equal (code-points 71 955) (arena-name arena))
    (fill-map (make-arena-map arena) 1000)
    (let ((stats (arena-stats arena)))
      (check (< 20000 (getf stats :live) (getf stats :reserved)))
      (check (<= 1 (getf stats :chunks)))
      (check-equal 0 (getf stats :resets)))
    (reset-arena arena)
    (check-equal 1 (getf (arena-stats arena) :resets))
    (let ((lines (arena-audit arena)))
      (check (every #'stringp lines))
      (check (<= 2 (length lines)))
      (check (search "\"leaks\":0" (remove #\Space (first lines)))))
    (check-equal nil (arena-take-findings arena))
    (check (arena-audit (make-arena-vector arena)))
    (end-arena arena)
    (check-equal (code-points 71 955) (arena-name arena)))
  (check-equal "SYM" (arena-name (make-arena :name :sym))))

(test "a map with objects has no leaks"
  (with-map (map :holds-objects t)
    (dotimes (i 100) (setf (arena-map-ref map i) (list i)))
    (check (search "\"leaks\":0" (remove #\Space (first (arena-audit map)))))))

(test "reset, and used again"
  (let ((arena (make-arena)))
    (dotimes (round 20)
      (let ((map (make-arena-map arena)))
        (fill-map map 2000)
        (check-map map 2000)
        (reset-arena arena :release (oddp round))
        (check (not (arena-ref-live-p map)))
        (check (arena-live-p arena))))))

(test "with-arena ends it however it is left"
  (let (kept)
    (check-equal '(1 2) (multiple-value-list
                         (with-arena (arena) (setf kept arena) (values 1 2))))
    (check (not (arena-live-p kept)))
    (catch 'out (with-arena (arena :name "x") (setf kept arena) (throw 'out 1)))
    (check (not (arena-live-p kept)))
    (ignore-errors (with-arena (arena) (setf kept arena) (error "out")))
    (check (not (arena-live-p kept)))
    (block nil (with-arena (arena) (setf kept arena) (return 1)))
    (check (not (arena-live-p kept)))
    (with-arena (outer)
      (let ((map (make-arena-map outer)))
        (with-arena (inner)
          (setf (arena-map-ref map "k") 1 kept inner))
        (check (not (arena-live-p kept)))
        (check (arena-live-p outer))
        (end-arena outer)
        (end-arena outer)))))

(test "checkpoint and rewind"
  (with-arena (arena)
    (let ((old (make-arena-map arena)) young)
      (setf (arena-map-ref old "k") 1)
      (let ((mark (checkpoint-arena arena)))
        (setf young (make-arena-map arena))
        (fill-map young 5000)
        (let ((inner (checkpoint-arena arena)))
          (check (make-arena-vector arena))
          (check (search "MARK" (princ-to-string inner))))
        (rewind-arena arena mark)
        (check (not (arena-ref-live-p young)))
        (check (arena-ref-live-p old))
        (check-equal 1 (arena-map-ref old "k"))
        (check-signals stale-reference (rewind-arena arena mark))
        (with-arena (other)
          (check-signals arena-type-error (rewind-arena other mark)))))))

(test "copies outlive their arena"
  (let ((keeper (make-arena :name "keeper")) copy)
    (with-arena (arena)
      (let ((map (make-arena-map arena)) (inner (make-arena-map arena)))
        (fill-map inner 1000)
        (setf (arena-map-ref map "inner") inner
              (arena-map-ref map "again") inner
              (arena-map-ref map "self") map
              copy (copy-to-arena map keeper))))
    (check-map (arena-map-ref copy "inner") 1000)
    (check (arena-same-p copy (arena-map-ref copy "self")))
    (check (arena-same-p (arena-map-ref copy "inner")
                         (arena-map-ref copy "again")))
    (check (eq keeper (arena-of copy)))))

(test "free ends one thing"
  (with-map (map)
    (let ((inner (make-arena-map arena)))
      (setf (arena-map-ref map "inner") inner)
      (free inner)
      (check (not (arena-ref-live-p inner)))
      (check (arena-ref-live-p map))
      (check-signals stale-reference (free inner))
      (check-signals stale-reference
        (arena-map-count (arena-map-ref map "inner"))))))

(test "printing"
  (let ((arena (make-arena :name "game")))
    (let ((map (fill-map (make-arena-map arena) 3)))
      (check-equal "#<ARENA-MAP \"game\" 3 entries>" (princ-to-string map))
      (check-equal "#<ARENA-VECTOR \"game\" 0 elements>"
                   (princ-to-string (make-arena-vector arena)))
      (check-equal "#<ARENA-STRING \"game\" 2 bytes>"
                   (princ-to-string (make-arena-string arena "ab")))
      (check (search "#<ARENA \"game\" " (prin1-to-string arena)))
      (reset-arena arena)
      (check-equal "#<ARENA-MAP stale>" (prin1-to-string map))
      (end-arena arena)
      (check-equal "#<ARENA-MAP stale>" (prin1-to-string map))
      (check-equal "#<ARENA \"game\" ended>" (prin1-to-string arena))
      (check (stringp (with-output-to-string (*standard-output*)
                        (describe map))))
      (check-equal "#<ARENA-MAP stale>"
                   (princ-to-string (make-instance 'arena-map))))))
