;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Tests of the ECL module. ACRE_FAS in the environment: the path of acre.fas.
;;;;
;;;;   ACRE_FAS=... ecl --norc --shell acre-test.lisp
;;;;
;;;; The last line is "N passed, N failed"; the status is 1 where something
;;;; failed. More tests lie beside this file.

(setf *load-verbose* nil)
(load (or (ext:getenv "ACRE_FAS") (error "ACRE_FAS is not set")))

(defpackage "ACRE-TEST" (:use "COMMON-LISP" "ACRE"))
(in-package "ACRE-TEST")

(defvar *passed* 0)
(defvar *failed* 0)

(defun report (name problem)
  (cond (problem
         (incf *failed*)
         (format t "FAILED ~a: ~a~%" name problem))
        (t
         (incf *passed*)
         (format t "ok ~a~%" name)))
  (finish-output))

(define-condition check-failed (error)
  ((text :initarg :text))
  (:report (lambda (condition stream)
             (princ (slot-value condition 'text) stream))))

(defmacro check (form)
  "Fails the test where FORM is false."
  `(unless ,form
     (error 'check-failed :text ,(format nil "not true: ~s" form))))

(defmacro check-equal (wanted form)
  (let ((value (gensym)) (expected (gensym)))
    `(let ((,expected ,wanted) (,value ,form))
       (unless (equalp-or-same ,expected ,value)
         (error 'check-failed
                :text (format nil "~s is ~s, wanted ~s" ',form ,value
                              ,expected))))))

(defun equalp-or-same (a b)
  "EQUAL, and elements of vectors too; NaNs are equal."
  (cond ((and (floatp a) (floatp b))
         (or (and (ext:float-nan-p a) (ext:float-nan-p b)) (eql a b)))
        ((and (consp a) (consp b))
         (and (equalp-or-same (car a) (car b))
              (equalp-or-same (cdr a) (cdr b))))
        ((and (stringp a) (stringp b)) (string= a b))
        ((and (vectorp a) (vectorp b))
         (and (= (length a) (length b)) (every #'eql a b)))
        (t (equal a b))))

(defmacro check-signals (condition &body body)
  "Fails the test unless BODY signals that very condition, with a text that can
be printed."
  (let ((caught (gensym)))
    `(let ((,caught (handler-case (progn ,@body nil) (error (c) c))))
       (unless (and ,caught (eq (type-of ,caught) ',condition)
                    (plusp (length (princ-to-string ,caught))))
         (error 'check-failed
                :text (format nil "~s: ~a, wanted ~a" ',(car (last body))
                              (and ,caught
                                   (format nil "~a (~a)" (type-of ,caught)
                                           ,caught))
                              ',condition))))))

(defmacro test (name &body body)
  `(report ,name
           (handler-case (progn ,@body nil)
             (error (condition)
               (format nil "~a: ~a" (type-of condition) condition)))))

(defun pressure (&optional (count 200000))
  "Allocates, so that what the collector frees is used again."
  (let ((list nil))
    (dotimes (i count)
      (when (zerop (mod i 1000)) (setf list nil))
      (push (make-array 8) list)
      (push (cons i i) list))))

(defun collect-hard (&optional (times 10))
  (dotimes (i times) (pressure) (si:gc t)))

(defun clear-stack (&optional (depth 200))
  "Overwrites what earlier calls have left on the stack."
  (if (zerop depth) 0 (+ 1 (clear-stack (1- depth)))))

(dolist (name '("values.lisp" "containers.lisp" "errors.lisp" "floats.lisp"
                "lifetime.lisp" "threads.lisp"))
  (load (merge-pathnames name *load-truename*)))

(format t "~d passed, ~d failed~%" *passed* *failed*)
(finish-output)
(ext:quit (if (zerop *failed*) 0 1))
