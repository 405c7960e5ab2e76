;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Strings that grow. Part of acre.lisp.

(defun make-arena-string (arena &optional (text ""))
  "A new growing string, which begins with TEXT. Signals ARENA-OUT-OF-MEMORY,
STALE-REFERENCE."
  (let ((string (make-in arena (constant-of :int "ACRE_BUILDER") 0
                         'make-arena-string)))
    (unless (equal text "")
      (arena-string-append string text))
    string))

(defun append-again (string value)
  (store (lambda (value) (status-of "HostBuilderAppend" string value))
         'arena-string-append string nil value))

(defun append-one (string value)
  (unless (eql 0 (status-of "HostBuilderAppend" string value))
    (append-again string value)))

(defun arena-string-append (string &rest values)
  "Appends VALUES, and returns STRING: strings, characters and arena strings as
they are, numbers as JSON writes them, symbols as PACKAGE:NAME, NIL as null, T
as true. ARENA-TYPE-ERROR for what else there is. Restarts: USE-VALUE, RETRY,
RESET-ARENA where memory is out."
  (dolist (value values string)
    (append-one string value)))

(defun arena-string-text (string)
  "The text so far, as a fresh Lisp string."
  (let ((text (object-of "HostBuilderText" string)))
    (if (failed-p text)
        (value-instead (last-status) 'arena-string-text string)
        text)))
