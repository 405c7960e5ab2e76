;;;; SPDX-License-Identifier: MIT
;;;;
;;;; What can go wrong, and what may be done about it. Part of acre.lisp.

(define-condition acre-error (error)
  ((operation :initarg :operation :initform nil :reader acre-error-operation)
   (message :initarg :message :initform "" :reader acre-error-message))
  (:report (lambda (condition stream)
             (format stream "~@[~(~a~): ~]~a" (acre-error-operation condition)
                     (acre-error-message condition))))
  (:documentation "Any error of acre's. ACRE-ERROR-OPERATION is the name of the
function that signals, ACRE-ERROR-MESSAGE a sentence that says why."))

(define-condition stale-reference (acre-error) ()
  (:documentation "What the handle refers to has ended: by a reset, a rewind,
END-ARENA or FREE."))

(define-condition arena-out-of-memory (acre-error) ()
  (:documentation "The arena's byte limit is reached, or the system has no
memory. Restarts: RETRY, after the handler has made room; RESET-ARENA."))

(define-condition arena-type-error (acre-error type-error) ()
  (:default-initargs :datum nil :expected-type t)
  (:report (lambda (condition stream)
             (format stream "~@[~(~a~): ~]~a" (acre-error-operation condition)
                     (acre-error-message condition))))
  (:documentation "An argument that has no form in an arena, or that is not the
kind of handle that is wanted. A TYPE-ERROR too."))

(define-condition arena-index-error (acre-error) ()
  (:documentation "No index of the vector."))

(define-condition object-refused (acre-error) ()
  (:documentation "A Lisp object as a key or value in an arena that was not made
with :HOLDS-OBJECTS T."))

(define-condition map-changed (acre-error) ()
  (:documentation "Entries were inserted or removed while a walk was under way.
The restart CONTINUE ends the walk as if it were done."))

(defun library-message ()
  "acre's own sentence about the last call of this thread that failed."
  (object-of "HostErrorText"))

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defparameter *host-statuses*
    '(("kHostWrongHandle" arena-type-error
       "not a handle of the kind that is wanted")
      ("kHostEnded" stale-reference "the arena has been ended")
      ("kHostInteger" arena-type-error "an integer of more than 64 bits")
      ("kHostNumber" arena-type-error
       "of the numbers, only integers of 64 bits, single- and double-floats")
      ("kHostSymbol" arena-type-error
       "a symbol whose package has gone, or has a colon or nothing in its name")
      ("kHostIndex" arena-index-error "no index of the vector")
      ("kHostMemory" arena-out-of-memory "the system has no memory"))
    "What lisp_values.h refuses by itself: name, condition, message.")
  (defparameter *library-statuses*
    '(("ACRE_STALE" stale-reference)
      ("ACRE_WRONG_KIND" arena-type-error)
      ("ACRE_OTHER_ARENA" arena-type-error)
      ("ACRE_OUT_OF_RANGE" arena-index-error)
      ("ACRE_OUT_OF_MEMORY" arena-out-of-memory)
      ("ACRE_BYTE_LIMIT" arena-out-of-memory)
      ("ACRE_CHANGED" map-changed)
      ("ACRE_NO_OBJECTS" object-refused)
      ("ACRE_ABSENT" acre-error)
      ("ACRE_MISUSE" acre-error))
    "What acre answers: name, condition."))

(defun class-and-message (status)
  "The condition for a status, and its message."
  (macrolet ((look-up ()
               `(cond
                  ,@(loop for (name class message) in *host-statuses*
                          collect `((= status (constant-of :int ,name))
                                    (values ',class ,message)))
                  ,@(loop for (name class) in *library-statuses*
                          collect `((= status (constant-of :int ,name))
                                    (values ',class (library-message))))
                  (t (values 'acre-error (library-message))))))
    (look-up)))

(defun key-status (status)
  "The status without kHostOfKey, or NIL if it was not about a key."
  (let ((offset (constant-of :int "kHostOfKey")))
    (when (< status offset) (- status offset))))

(defun refused-object (status handle key value)
  "Which of a call's objects the status is about."
  (cond ((eql status (constant-of :int "kHostWrongHandle")) handle)
        ((key-status status) key)
        (t value)))

(defun condition-for (status operation handle &optional key value)
  "The condition that tells about a call that failed."
  (multiple-value-bind (class message)
      (class-and-message (or (key-status status) status))
    (if (eq class 'arena-type-error)
        (make-condition class :operation operation :message message
                              :datum (refused-object status handle key value))
        (make-condition class :operation operation :message message))))

(defun arena-of-handle (handle)
  (if (arena-p handle) handle (and (arena-ref-p handle) (ref-arena handle))))

(defun signal-failure (status operation handle &rest key-and-value)
  "Signals what the status means. Returns only by the restart RESET-ARENA, which
exists where memory is out: it has reset the arena then, and NIL is returned."
  (let ((condition (apply #'condition-for status operation handle
                          key-and-value))
        (arena (arena-of-handle handle)))
    (if (and arena (typep condition 'arena-out-of-memory))
        (restart-case (error condition)
          (reset-arena ()
            :report "Reset the arena; what was to be done is left undone."
            (reset-arena arena)
            nil))
        (error condition))))

(defun ask-for-value ()
  "Reads a value for the restart USE-VALUE from the terminal."
  (format *query-io* "~&A value: ")
  (list (eval (read *query-io*))))

(defun value-instead (status operation handle &optional key)
  "Signals; the value that the restart USE-VALUE gives is the call's."
  (restart-case (signal-failure status operation handle key)
    (use-value (value)
      :report "Return another value."
      :interactive ask-for-value
      value)))

;; A call that stores. It is made again with another value, or after the handler
;; has made room.
(defun store (store-it operation handle key value)
  "Calls STORE-IT with VALUE until it answers status 0. Returns VALUE."
  (loop
    (let ((status (funcall store-it value)))
      (when (eql status 0) (return value))
      (restart-case
          (return (signal-failure status operation handle key value))
        (use-value (other)
          :report "Store another value."
          :interactive ask-for-value
          (setf value other))
        (retry ()
          :report "Try again.")))))

(defun make-it (make operation arena)
  "Calls MAKE until it answers an object; what RESET-ARENA leaves undone is done
at once then, as the arena has room."
  (loop
    (let ((made (funcall make)))
      (unless (failed-p made) (return made))
      (let ((status (last-status)))
        (with-simple-restart (retry "Try again.")
          (signal-failure status operation arena))))))

(defun done (status operation handle)
  "Signals unless the status is 0."
  (unless (eql status 0)
    (signal-failure status operation handle))
  nil)
