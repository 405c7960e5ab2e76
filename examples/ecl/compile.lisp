;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Compiles acre.lisp and words.lisp: `build` runs it. Reads the environment:
;;;; ACRE_SOURCE, where acre's source is; ACRE_LIBRARY, the path of
;;;; libacre-c.so; ACRE_OUTPUT, where acre.fas and words.fas go.

(require :cmp)

(defun setting (name)
  (or (ext:getenv name) (error "~a is not set" name)))

(defun source (name)
  (concatenate 'string (setting "ACRE_SOURCE") "/" name))

;; Both are strings that the compiler splits at spaces.
(setf c::*user-cc-flags*
      (format nil "-I~a -I~a -Wall -Wno-unused"
              (source "examples/ecl") (source "audit/c"))
      c::*user-ld-flags*
      (format nil "~a -Wl,-rpath,~a" (setting "ACRE_LIBRARY")
              (string-right-trim "/" (directory-namestring
                                      (setting "ACRE_LIBRARY")))))

(defun output (name)
  (concatenate 'string (setting "ACRE_OUTPUT") "/" name))

(defun build-file (source output)
  (multiple-value-bind (fas warnings failed)
      (compile-file source :output-file output)
    (declare (ignore warnings))
    (when (or failed (not fas)) (ext:quit 1))))

(build-file (source "examples/ecl/acre.lisp") (output "acre.fas"))
(load (output "acre.fas"))
(build-file (source "examples/ecl/words.lisp") (output "words.fas"))
(ext:quit 0)
