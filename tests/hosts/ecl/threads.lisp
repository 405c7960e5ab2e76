;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Threads and interrupts. Part of acre-test.lisp.

(in-package "ACRE-TEST")

(defun in-thread (function)
  "Runs it in a new thread, whose value is the function's, or an error's text."
  (mp:process-run-function "test" (lambda ()
                                    (handler-case (funcall function)
                                      (error (c) (princ-to-string c))))))

(defun in-threads (count function)
  "The values of FUNCTION in so many threads, which get their number, while the
collector runs."
  (let ((threads (loop for i below count
                       collect (let ((number i))
                                 (in-thread
                                  (lambda () (funcall function number)))))))
    (dotimes (i 5) (si:gc t))
    (mapcar #'mp:process-join threads)))

(test "8 threads, an arena each, with collections"
  (check-equal (make-list 8 :initial-element :done)
               (in-threads 8
                 (lambda (number)
                   (let ((map (fill-map (make-arena-map (make-arena)) 5000)))
                     (setf (arena-map-ref map *nan*) number)
                     (dotimes (i 2) (pressure 50000) (si:gc t))
                     (check-equal number (arena-map-ref map *nan*))
                     (check (arena-map-remove map *nan*))
                     (check-map map 5000)
                     (dotimes (i 10)
                       (with-arena (arena)
                         (check-map (fill-map (make-arena-map arena) 300) 300)))
                     :done)))))

(test "8 threads, one arena, a lock"
  (let ((map (make-arena-map (make-arena))) (lock (mp:make-lock)))
    (check-equal (make-list 8 :initial-element :done)
                 (in-threads 8
                   (lambda (number)
                     (dotimes (i 5000 :done)
                       (mp:with-lock (lock)
                         (setf (arena-map-ref map (+ number (* 8 i))) (key i))
                         (incf (arena-map-ref map "sum" 0)))))))
    (check-equal 40001 (arena-map-count map))
    (check-equal 40000 (arena-map-ref map "sum"))))

(test "a map made by a thread that has ended"
  (let ((map (mp:process-join
              (in-thread (lambda ()
                           (fill-map (make-arena-map (make-arena)) 3000))))))
    (collect-hard 3)
    (check-map map 3000)))

(test "errors in other threads have their own text"
  (check-equal
   "object-refused"
   (mp:process-join
    (in-thread (lambda ()
                 (with-map (map)
                   (handler-case (setf (arena-map-ref map 1) #'car)
                     (object-refused (condition)
                       (check (plusp (length (acre-error-message condition))))
                       (string-downcase (type-of condition))))))))))

;; The keys are there before: what is interrupted is acre's calls, little else.
(defun churn (map keys stopped)
  "Changes the map until STOPPED says so; the number of times that it was
thrown out."
  (let ((rounds 0) (count (length keys)))
    (loop until (funcall stopped)
          do (catch 'interrupted
               (loop for i from 0
                     for key = (svref keys (mod i count))
                     until (funcall stopped)
                     do (setf (arena-map-ref map key) key)
                        (arena-map-ref map key)
                        (arena-map-remove map
                                          (svref keys (mod (* 7 i) count)))))
             (incf rounds))
    rounds))

(test "interrupts that unwind leave arenas whole"
  (let* ((map (make-arena-map (make-arena))) (stop nil)
         (keys (coerce (loop for i below 20000 collect (key i)) 'simple-vector))
         (thread (in-thread (lambda () (churn map keys (lambda () stop))))))
    (dotimes (i 300)
      (sleep 0.002)
      (mp:interrupt-process thread (lambda ()
                                     (ignore-errors
                                      (throw 'interrupted nil)))))
    (setf stop t)
    (check (< 50 (mp:process-join thread)))
    (check (search "\"leaks\":0" (remove #\Space (first (arena-audit map)))))
    (let ((count 0))
      (do-arena-map (key value map)
        (check (eql 0 (search "key number" value)))
        (incf count))
      (check-equal count (arena-map-count map)))
    (arena-map-clear map)
    (check-map (fill-map map 1000) 1000)))
