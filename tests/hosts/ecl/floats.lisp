;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Floating point: ECL switches traps on, for code of acre's too. Part of
;;;; acre-test.lisp.

(in-package "ACRE-TEST")

(require :cmp)

;; C, as Lisp has no function that reads the state.
(handler-bind ((warning #'muffle-warning))
  (let ((*compile-verbose* nil) (*compile-print* nil))
    (defparameter *float-state*
      (compile nil '(lambda ()
                     (ffi:c-inline () () (values :int :int)
                      "{ extern int fegetexcept(void), fetestexcept(int);
                         @(return 0)=fegetexcept();
                         @(return 1)=fetestexcept(-1); }")))
      "Which traps are on, and which exceptions have been seen.")
    (defparameter *clear-exceptions*
      (compile nil '(lambda ()
                     (ffi:c-inline () () :void
                      "{ extern int feclearexcept(int);
                         feclearexcept(-1); }"))))
    (defparameter *inexact-division*
      (compile nil '(lambda ()
                     (ffi:c-inline () () :double
                      "{ volatile double x=1; x/=3; @(return)=x; }"))))))

(defun float-state () (multiple-value-list (funcall *float-state*)))

(defun check-float-state (call)
  "Fails the test where the traps or the exceptions are others after CALL, be
there exceptions before it or not. It may signal an ACRE-ERROR."
  (dolist (before '(nil t))
    (funcall *clear-exceptions*)
    (when before (funcall *inexact-division*))
    (let ((state (float-state)))
      (check (plusp (first state)))
      (check (eq before (plusp (second state))))
      (handler-case (funcall call) (acre-error () nil))
      (check-equal state (float-state)))))

(defmacro check-float-states (&body calls)
  `(progn ,@(loop for call in calls
                  collect `(check-float-state (lambda () ,call)))))

(test "each call leaves traps and exceptions as they were"
  (let* ((arena (make-arena :byte-limit 30000000)) (map (make-arena-map arena))
         (vector (make-arena-vector arena :initial-contents *doubles*))
         (numbers (make-arena-vector arena
                                     :initial-contents '(2.5d0 1d308 0.1d0)))
         (string (make-arena-string arena)))
    (dolist (double *doubles*)
      (check-float-states
        (setf (arena-map-ref map double) double)
        (arena-map-ref map double)
        (arena-map-remove map double)
        (setf (arena-map-ref map double) double)
        (setf (arena-vector-ref vector 0) double)
        (arena-vector-ref vector 0)
        (progn (arena-vector-push double vector) (arena-vector-pop vector))
        (arena-string-append string double)
        (arena-string-append string 0.1d0)))
    (check-float-states
      (make-arena) (with-arena (other) other) (make-arena-map arena :size 1000)
      (do-arena-map (key value map)) (arena-map-alist map) (arena-map-count map)
      (arena-vector-list vector) (arena-vector-length vector)
      (arena-vector-sort vector) (arena-vector-sort numbers)
      (arena-string-text string)
      (arena-stats arena) (arena-audit arena) (arena-audit map)
      (arena-take-findings arena) (princ-to-string map) (arena-ref-live-p map)
      (arena-same-p map vector) (copy-to-arena vector arena)
      (rewind-arena arena (checkpoint-arena arena))
      (setf (arena-byte-limit arena) 20000000)
      (make-arena-vector arena :size most-positive-fixnum)
      (free (make-arena-map arena)) (arena-map-clear map)
      (reset-arena arena :release t) (end-arena arena))))

(test "traps are on for Lisp after all that"
  (check-signals division-by-zero (/ 1d0 (eval 0d0))))

(test "numbers as JSON writes them, and what it cannot write"
  (with-arena (arena)
    (let ((string (make-arena-string arena)))
      (arena-string-append string 0.1d0 " " -0d0 " " 1d308 " "
                           least-positive-double-float)
      (check-equal "0.1 -0.0 1e+308 5e-324" (arena-string-text string))
      (dolist (double (list *nan* *infinity* *minus-infinity*))
        (let ((other (make-arena-string arena)))
          (arena-string-append other double)
          (check-equal "null" (arena-string-text other)))))))

(test "collections with doubles of all kinds in arenas"
  (with-map (map)
    (let ((vector (make-arena-vector arena)))
      (dotimes (i 1000)
        (dolist (double *doubles*) (arena-vector-push double vector)))
      (setf (arena-map-ref map "doubles") vector)
      (loop for double in *doubles* for i from 0
            do (setf (arena-map-ref map double) double))
      (dotimes (i 3) (si:gc t))
      (check-equal (1+ (length *doubles*)) (arena-map-count map)))))

(test "many doubles as keys, while the map grows"
  (with-map (map)
    (dotimes (i 20000)
      (setf (arena-map-ref map (* i 1.5d0)) (/ i 3d0)))
    (setf (arena-map-ref map *nan*) :nan
          (arena-map-ref map *infinity*) :infinity)
    (dotimes (i 20000)
      (setf (arena-map-ref map (- -1d0 i)) i))
    (check-equal 40002 (arena-map-count map))
    (check-equal :nan (arena-map-ref map *nan*))
    (check-equal :infinity (arena-map-ref map *infinity*))
    (dotimes (i 20000)
      (check-equal (/ i 3d0) (arena-map-ref map (* i 1.5d0))))))
