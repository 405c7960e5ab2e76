;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Conditions and restarts. Part of acre-test.lisp.

(in-package "ACRE-TEST")

(defmacro with-restart-chosen ((condition restart &rest arguments) &body body)
  "BODY; when CONDITION is signalled, RESTART is invoked."
  `(handler-bind ((,condition (lambda (c)
                                (invoke-restart (find-restart ',restart c)
                                                ,@arguments))))
     ,@body))

(test "stale references, by each call"
  (let* ((arena (make-arena)) (map (make-arena-map arena))
         (vector (make-arena-vector arena)) (string (make-arena-string arena)))
    (reset-arena arena)
    (check-signals stale-reference (arena-map-ref map 1))
    (check-signals stale-reference (setf (arena-map-ref map 1) 1))
    (check-signals stale-reference (arena-map-remove map 1))
    (check-signals stale-reference (arena-map-count map))
    (check-signals stale-reference (arena-map-clear map))
    (check-signals stale-reference (do-arena-map (k v map)))
    (check-signals stale-reference (arena-map-alist map))
    (check-signals stale-reference (arena-vector-ref vector 0))
    (check-signals stale-reference (setf (arena-vector-ref vector 0) 1))
    (check-signals stale-reference (arena-vector-push 1 vector))
    (check-signals stale-reference (arena-vector-pop vector))
    (check-signals stale-reference (arena-vector-length vector))
    (check-signals stale-reference (arena-vector-list vector))
    (check-signals stale-reference (arena-vector-sort vector))
    (check-signals stale-reference (arena-vector-sort vector #'<))
    (check-signals stale-reference (arena-string-append string "x"))
    (check-signals stale-reference (arena-string-text string))
    (check-signals stale-reference (copy-to-arena map arena))
    (check-signals stale-reference (free string))
    (check-signals stale-reference (arena-audit map))
    (check-signals stale-reference
      (setf (arena-map-ref (make-arena-map arena) 1) map))))

(test "ended arenas, by each call"
  (dolist (collected '(nil t))
    (let* ((arena (make-arena :collected collected))
           (map (fill-map (make-arena-map arena) 10))
           (mark (checkpoint-arena arena)))
      (end-arena arena)
      (check (not (arena-ref-live-p map)))
      (check-signals stale-reference (arena-map-ref map 1))
      (check-signals stale-reference (setf (arena-map-ref map 1) 1))
      (check-signals stale-reference (make-arena-map arena))
      (check-signals stale-reference (make-arena-vector arena))
      (check-signals stale-reference (make-arena-string arena))
      (check-signals stale-reference (reset-arena arena))
      (check-signals stale-reference (arena-stats arena))
      (check-signals stale-reference (arena-audit arena))
      (check-signals stale-reference (arena-take-findings arena))
      (check-signals stale-reference (checkpoint-arena arena))
      (check-signals stale-reference (rewind-arena arena mark))
      (check-signals stale-reference (setf (arena-byte-limit arena) 1000))
      (with-arena (other)
        (check-signals stale-reference (copy-to-arena (make-arena-map other)
                                                      arena))))))

(test "what is no handle, by each call"
  (with-arena (arena)
    (let ((vector (make-arena-vector arena)) (map (make-arena-map arena)))
      (dolist (wrong (list nil 1 "map" (cons 1 2) (make-hash-table) vector arena
                           (make-instance 'arena-map)))
        (check-signals arena-type-error (arena-map-ref wrong 1))
        (check-signals arena-type-error (setf (arena-map-ref wrong 1) 1))
        (check-signals arena-type-error (arena-map-remove wrong 1))
        (check-signals arena-type-error (arena-map-count wrong))
        (check-signals arena-type-error (arena-map-clear wrong))
        (check-signals arena-type-error (do-arena-map (k v wrong)))
        (check-signals arena-type-error (arena-string-append wrong "x"))
        (check-signals arena-type-error (arena-string-text wrong)))
      (dolist (wrong (list nil 1 "vector" map arena))
        (check-signals arena-type-error (arena-vector-ref wrong 1))
        (check-signals arena-type-error (setf (arena-vector-ref wrong 1) 1))
        (check-signals arena-type-error (arena-vector-push 1 wrong))
        (check-signals arena-type-error (arena-vector-pop wrong))
        (check-signals arena-type-error (arena-vector-length wrong))
        (check-signals arena-type-error (arena-vector-list wrong))
        (check-signals arena-type-error (arena-vector-sort wrong)))
      (dolist (wrong (list nil 1 "arena" map))
        (check-signals arena-type-error (make-arena-map wrong))
        (check-signals arena-type-error (reset-arena wrong))
        (check-signals arena-type-error (arena-stats wrong))
        (check-signals arena-type-error (checkpoint-arena wrong))
        (check-signals arena-type-error (copy-to-arena map wrong)))
      (check-signals arena-type-error (free arena))
      (check-signals arena-type-error (copy-to-arena arena arena))
      (check-signals arena-type-error (arena-audit 1)))))

(test "type errors have a datum"
  (with-map (map)
    (flet ((datum (thunk)
             (handler-case (funcall thunk)
               (type-error (c) (type-error-datum c)))))
      (check-equal 1/2 (datum (lambda () (arena-map-ref map 1/2))))
      (check-equal 1/3 (datum (lambda () (setf (arena-map-ref map 1) 1/3))))
      (check-equal '(1) (datum (lambda () (arena-map-count '(1))))))))

(test "errors name the operation and have the library's sentence"
  (with-map (map :name "named")
    (let ((condition (handler-case (setf (arena-map-ref map 1) #'car)
                       (acre-error (c) c))))
      (check (eq 'arena-map-ref (acre-error-operation condition)))
      (check (search "acre" (acre-error-message condition)))
      (check (search "arena-map-ref" (princ-to-string condition))))))

(test "a sentence stays that of its error, in any script"
  (with-map (map :name (code-points 955 955))
    (flet ((failure (thunk)
             (handler-case (funcall thunk) (acre-error (c) c))))
      (let ((first (failure (lambda () (setf (arena-map-ref map 1) #'car))))
            (other (failure (lambda ()
                              (arena-vector-ref (make-arena-vector arena) 5)))))
        (check (search (code-points 955 955) (acre-error-message first)))
        (check (search "object" (acre-error-message first)))
        (check (search "5" (acre-error-message other)))))))

(defun restarts-of (call)
  "The names of acre's restarts, and of CONTINUE, for the error of CALL."
  (let ((outside (compute-restarts)))
    (handler-bind
        ((acre-error (lambda (condition)
                       (return-from restarts-of
                         (sort (mapcar #'restart-name
                                       (set-difference
                                        (compute-restarts condition) outside))
                               #'string<)))))
      (funcall call))))

(test "which restarts there are"
  (let* ((arena (make-arena :byte-limit 200000)) (map (make-arena-map arena))
         (vector (make-arena-vector arena)) (string (make-arena-string arena))
         (long (make-string 300000 :initial-element #\x)))
    (loop for (wanted . call)
            in (list
                (cons '(use-value) (lambda () (arena-map-ref map 1/2)))
                (cons '(use-value) (lambda () (arena-vector-ref vector 0)))
                (cons '(use-value) (lambda () (arena-vector-pop vector)))
                (cons '(retry use-value)
                      (lambda () (setf (arena-map-ref map 1) 1/2)))
                (cons '(retry use-value)
                      (lambda () (arena-vector-push 1/2 vector)))
                (cons '(reset-arena retry use-value)
                      (lambda () (setf (arena-map-ref map 1) long)))
                (cons '(reset-arena retry use-value)
                      (lambda () (arena-string-append string long)))
                (cons '(reset-arena retry)
                      (lambda () (make-arena-map arena :size 100000)))
                (cons '(continue)
                      (lambda () (do-arena-map (key value map)
                                   (setf (arena-map-ref map 1) 1
                                         (arena-map-ref map 2) 2))))
                (cons '() (lambda () (arena-map-remove map 1/2))))
          do (setf (arena-map-ref map "one") 1)
             (check-equal wanted (restarts-of call)))))

(test "use-value asks for a value"
  (with-map (map)
    (let ((*query-io* (make-two-way-stream (make-string-input-stream "(+ 1 2)")
                                           (make-broadcast-stream))))
      (check-equal
       3 (handler-bind ((acre-error
                          (lambda (c)
                            (invoke-restart-interactively
                             (find-restart 'use-value c)))))
           (arena-map-ref map 1/2))))))

(test "indices"
  (with-arena (arena)
    (let ((vector (make-arena-vector arena :initial-contents '(1 2 3))))
      (dolist (index (list 3 -1 (expt 2 70) nil "0" 1.0 most-positive-fixnum))
        (check-signals arena-index-error (arena-vector-ref vector index))
        (check-signals arena-index-error
          (setf (arena-vector-ref vector index) 1)))
      (check-equal '(1 2 3) (arena-vector-list vector))
      (check-signals arena-index-error
        (arena-vector-pop (make-arena-vector arena))))))

(test "objects of other arenas"
  (with-map (map)
    (with-arena (other)
      (check-signals arena-type-error
        (setf (arena-map-ref map 1) (make-arena-map other)))
      (check-signals arena-type-error
        (arena-vector-push (make-arena-vector other)
                           (make-arena-vector arena))))))

(test "maps that change under a walk"
  (with-map (map)
    (fill-map map 10)
    (check-signals map-changed
      (do-arena-map (key value map)
        (setf (arena-map-ref map (list-length (list value))) 1)
        (setf (arena-map-ref map (format nil "new ~a" value)) 1)))
    (let ((steps 0))
      (with-restart-chosen (map-changed continue)
        (check-equal :result (do-arena-map (key value map :result)
                               (incf steps)
                               (arena-map-clear map))))
      (check-equal 1 steps))))

(test "use-value for what cannot be had"
  (with-map (map)
    (let ((vector (make-arena-vector arena)) (string (make-arena-string arena)))
      (with-restart-chosen (acre-error use-value :instead)
        (check-equal :instead (arena-map-ref map 1/2))
        (check-equal :instead (arena-vector-ref vector 5))
        (check-equal :instead (arena-vector-pop vector))
        (reset-arena arena)
        (check-equal :instead (arena-map-ref map "k"))
        (check-equal :instead (arena-string-text string))))))

(test "use-value for what cannot be stored"
  (with-map (map)
    (let ((vector (make-arena-vector arena :initial-contents '(0)))
          (string (make-arena-string arena)))
      (with-restart-chosen (acre-error use-value "instead")
        (check-equal "instead" (setf (arena-map-ref map 1) (list 1 2)))
        (check-equal "instead" (arena-map-ref map 1))
        (check-equal "instead" (arena-vector-push 1/2 vector))
        (check-equal "instead" (setf (arena-vector-ref vector 0) #'car))
        (check-equal '("instead" "instead") (arena-vector-list vector))
        (arena-string-append string "a" (make-arena-map arena) "b"))
      (check-equal "ainsteadb" (arena-string-text string)))))

(defun fill-up (map)
  "Fills until memory is out; the number of entries."
  (handler-case
      (loop for i from 0
            do (setf (arena-map-ref map i) (make-string 1000
                                                        :initial-element #\x)))
    (arena-out-of-memory () (arena-map-count map))))

(test "a byte limit"
  (dolist (collected '(nil t))
    (let* ((arena (make-arena :byte-limit 500000 :collected collected))
           (map (make-arena-map arena)))
      (check-equal 500000 (arena-byte-limit arena))
      (let ((count (fill-up map)))
        (check (< 50 count 500))
        (check-equal count (arena-map-count map))
        (check-equal 1000 (length (arena-map-ref map 0)))
        (check (<= (getf (arena-stats arena) :reserved) 500000))
        (setf (arena-byte-limit arena) 1000000)
        (check (< count (fill-up map)))
        (setf (arena-byte-limit arena) nil)
        (dotimes (i 2000) (setf (arena-map-ref map (- -1 i)) (key i))))
      (end-arena arena))))

(test "retry, after room was made"
  (let* ((arena (make-arena :byte-limit 300000)) (map (make-arena-map arena))
         (retries 0))
    (handler-bind ((arena-out-of-memory
                     (lambda (c)
                       (incf retries)
                       (setf (arena-byte-limit arena)
                             (* 2 (arena-byte-limit arena)))
                       (invoke-restart (find-restart 'retry c)))))
      (fill-map map 50000))
    (check (<= 2 retries 10))
    (check-map map 50000)))

(test "reset-arena where memory is out"
  (let* ((arena (make-arena :byte-limit 300000)) (map (make-arena-map arena)))
    (fill-up map)
    (with-restart-chosen (arena-out-of-memory reset-arena)
      (check-equal nil
                   (loop while (setf (arena-map-ref map (random (expt 2 60)))
                                     "another text that needs its room")))
      (check (not (arena-ref-live-p map)))
      (check (arena-live-p arena))
      (let ((made '()))
        (dotimes (i 20000) (push (make-arena-map arena :size 16) made))
        (check (arena-ref-live-p (first made)))
        (check (not (arena-ref-live-p (car (last made)))))))))

(test "impossible sizes"
  (with-arena (arena)
    (check-signals arena-out-of-memory
      (make-arena-map arena :size most-positive-fixnum))
    (check-signals arena-out-of-memory
      (make-arena-vector arena :size most-positive-fixnum))
    (check (handler-case (make-arena-map arena :size -1) (type-error () t)))
    (check (handler-case (make-arena :byte-limit -1) (type-error () t)))
    (check (handler-case (make-arena :name 5) (type-error () t)))
    (check (make-arena-map arena))))

(test "what is older than a checkpoint must not grow"
  (with-arena (arena)
    (let* ((map (make-arena-map arena)) (mark (checkpoint-arena arena)))
      (check (handler-case (progn (fill-map map 1000) nil)
               (acre-error (c) (plusp (length (acre-error-message c))))))
      (rewind-arena arena mark)
      (fill-map map 1000))))
