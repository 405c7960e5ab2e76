;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Vectors that grow. Part of acre.lisp. Elements are what values of maps are.

(defun make-arena-vector (arena &key (size 0) initial-contents)
  "A new vector of the elements of INITIAL-CONTENTS, any sequence; with room for
SIZE elements before it grows. Signals ARENA-OUT-OF-MEMORY, STALE-REFERENCE, and
what ARENA-VECTOR-PUSH does."
  (check-type size (integer 0 #.most-positive-fixnum))
  (let ((vector (make-in arena (constant-of :int "ACRE_VECTOR") size
                         'make-arena-vector)))
    (map nil (lambda (element) (arena-vector-push element vector))
         initial-contents)
    vector))

(defun arena-vector-ref (vector index)
  "The element at INDEX, counted from 0; ARENA-INDEX-ERROR behind the end. SETF
replaces it. Restarts: USE-VALUE, RETRY when storing."
  (let ((found (object-of "HostVectorGet" vector index)))
    (if (failed-p found)
        (value-instead (last-status) 'arena-vector-ref vector)
        found)))

(defun set-element-again (vector index value operation)
  (store (lambda (value) (status-of "HostVectorSet" vector index value))
         operation vector index value))

(defun set-element (vector index value operation)
  "With NIL for the index: pushes."
  (if (eql 0 (status-of "HostVectorSet" vector index value))
      value
      (set-element-again vector index value operation)))

(defun set-element-at (vector index value)
  (unless (typep index '(integer 0))
    (done (constant-of :int "kHostIndex") 'arena-vector-ref vector))
  (set-element vector index value 'arena-vector-ref))

(defsetf arena-vector-ref set-element-at)

(defun (setf arena-vector-ref) (value vector index)
  (set-element-at vector index value))

(defun arena-vector-push (value vector)
  "Appends VALUE, and returns it. Signals and restarts as (SETF ARENA-MAP-REF)."
  (set-element vector nil value 'arena-vector-push))

(defun arena-vector-pop (vector)
  "Removes the last element, and returns it; ARENA-INDEX-ERROR if there is none,
with the restart USE-VALUE."
  (let ((found (object-of "HostVectorPop" vector)))
    (if (failed-p found)
        (value-instead (last-status) 'arena-vector-pop vector)
        found)))

(defun arena-vector-length (vector)
  "The number of elements."
  (if (arena-vector-p vector)
      (size-of vector 'arena-vector-length)
      (done (constant-of :int "kHostWrongHandle") 'arena-vector-length
            vector)))

(defmacro do-arena-vector ((element vector &optional result) &body body)
  "BODY for each element, first to last, then RESULT. What is appended meanwhile
is walked too. RETURN leaves it."
  (multiple-value-bind (declarations forms) (split-declarations body)
    (let ((index (gensym "INDEX")) (walked (gensym "VECTOR")))
      `(let ((,walked ,vector))
         (do ((,index 0 (1+ ,index)))
             ((>= ,index (arena-vector-length ,walked)) ,result)
           (let ((,element (arena-vector-ref ,walked ,index)))
             (declare (ignorable ,element))
             ,@declarations
             (tagbody ,@forms)))))))

(defun arena-vector-list (vector)
  "The elements as a fresh list. Nested maps stay handles."
  (let ((elements '()))
    (do-arena-vector (element vector (nreverse elements))
      (push element elements))))

(defun erase-elements (vector index count)
  (done (ffi:c-inline (vector index count)
                      (:object :unsigned-long :unsigned-long) :int
                      "HostVectorErase(#0,#1,#2)" :one-liner t)
        'arena-vector-sort vector))

(defun sort-by-predicate (vector predicate key)
  "The sorted elements go behind the others, which are erased when all are
there: what fails meanwhile leaves the vector as it was."
  (let* ((elements (arena-vector-list vector))
         (count (length elements))
         (sorted (stable-sort elements predicate :key key))
         (complete nil))
    (unwind-protect
         (progn
           (dolist (element sorted) (arena-vector-push element vector))
           (setf complete t))
      (when (arena-ref-live-p vector)
        (if complete
            (erase-elements vector 0 count)
            (erase-elements vector count
                            (- (arena-vector-length vector) count)))))))

(defun arena-vector-sort (vector &optional predicate &key key)
  "Sorts, stable, and returns VECTOR. Without PREDICATE in acre's own order:
NIL, booleans, numbers by value, characters, texts by their UTF-8, symbols,
bytes; ARENA-TYPE-ERROR where there are handles, other objects or NaNs. With
one, by that, as STABLE-SORT, at the price of a copy of the elements. n log n."
  (if predicate
      (sort-by-predicate vector predicate key)
      (done (status-of "HostVectorSort" vector) 'arena-vector-sort vector))
  vector)
