;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Maps. Part of acre.lisp.
;;;;
;;;; What keys and values may be, and what comes back, is README.md's table. In
;;;; short: strings, symbols, integers of 64 bits, floats, characters, vectors
;;;; of (unsigned-byte 8), and maps, vectors and strings of the same arena;
;;;; other objects in arenas with :HOLDS-OBJECTS. Keys are the same where their
;;;; kind and value are: 1 and 1.0d0 are two, 1.0 and 1.0d0 are one, all NaNs
;;;; are one, "a" is as good as another "a".

(defun make-arena-map (arena &key (size 0))
  "A new map without entries; with room for SIZE entries before it grows.
Signals ARENA-OUT-OF-MEMORY, STALE-REFERENCE where the arena has been ended."
  (check-type size (integer 0 #.most-positive-fixnum))
  (make-in arena (constant-of :int "ACRE_MAP") size 'make-arena-map))

(defun arena-map-ref (map key &optional default)
  "The value under KEY, or DEFAULT. Texts are copied out: they are yours. A
nested map comes as a new handle of the same map: see ARENA-SAME-P.

SETF inserts, or replaces the value; texts are copied in. A Lisp object in an
arena without :HOLDS-OBJECTS signals OBJECT-REFUSED, what has no form there
ARENA-TYPE-ERROR, no room ARENA-OUT-OF-MEMORY: nothing has changed then.

Restarts: USE-VALUE, RETRY when storing, RESET-ARENA where memory is out."
  (let ((found (object-of "HostMapGet" map key default)))
    (if (failed-p found)
        (value-instead (last-status) 'arena-map-ref map key)
        found)))

;; The closure is elsewhere, as ECL puts what a closure sees into conses when
;; the function is entered.
(defun set-entry-again (map key value)
  (store (lambda (value) (status-of "HostMapSet" map key value))
         'arena-map-ref map key value))

(defun set-entry (map key value)
  (if (eql 0 (status-of "HostMapSet" map key value))
      value
      (set-entry-again map key value)))

;; ECL looks a (SETF F) function up in a table at each call; what DEFSETF says
;; is a plain call. The function is for FUNCALL.
(defsetf arena-map-ref (map key &optional default) (value)
  `(progn ,default (set-entry ,map ,key ,value)))

(defun (setf arena-map-ref) (value map key &optional default)
  (declare (ignore default))
  (set-entry map key value))

(defun arena-map-remove (map key)
  "Removes the entry under KEY. True if there was one. A map that was its value
lives on; FREE ends one."
  (let ((status (status-of "HostMapErase" map key)))
    (cond ((eql status 0) t)
          ((eql status (constant-of :int "ACRE_ABSENT")) nil)
          (t (signal-failure status 'arena-map-remove map key)))))

(defun arena-map-count (map)
  "The number of entries."
  (if (arena-map-p map)
      (size-of map 'arena-map-count)
      (done (constant-of :int "kHostWrongHandle") 'arena-map-count map)))

(defun arena-map-clear (map)
  "Removes all entries."
  (done (status-of "HostMapClear" map) 'arena-map-clear map))

(defmacro next-entry (map cursor)
  "The next key, and its value; no object behind the last."
  `(ffi:c-inline (,map ,cursor) (:object :object) (values :object :object)
                 "{ cl_object value=ECL_NIL;
                    @(return 0)=HostMapNext(#0,#1,&value);
                    @(return 1)=value; }"))

(defun end-of-walk (status map)
  "Returns where the walk is over, by itself or by the restart CONTINUE."
  (unless (eql status (constant-of :int "ACRE_ABSENT"))
    (with-simple-restart (continue "End the walk here.")
      (signal-failure status 'map-arena-map map))))

(defun map-arena-map (function map)
  "Calls FUNCTION with each key and value, in no order that matters. Meanwhile
values may be replaced; inserting and removing signals MAP-CHANGED at the next
step. Returns NIL."
  (let ((cursor (object-of "HostCursor"))
        (function (if (functionp function) function (fdefinition function))))
    (loop
      (multiple-value-bind (key value) (next-entry map cursor)
        (when (failed-p key)
          (return (end-of-walk (last-status) map)))
        (funcall function key value)))))

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defun split-declarations (body)
    "The declarations at the head of BODY, and the rest."
    (let ((rest (member-if-not (lambda (form)
                                 (and (consp form) (eq (first form) 'declare)))
                               body)))
      (values (ldiff body rest) rest))))

(defmacro do-arena-map ((key value map &optional result) &body body)
  "BODY for each entry, with KEY and VALUE bound, as MAP-ARENA-MAP; then RESULT.
RETURN leaves it."
  (multiple-value-bind (declarations forms) (split-declarations body)
    `(block nil
       (map-arena-map (lambda (,key ,value)
                        (declare (ignorable ,key ,value))
                        ,@declarations
                        (tagbody ,@forms))
                      ,map)
       ,result)))

(defun arena-map-alist (map)
  "The entries as a fresh list of (key . value). Nested maps stay handles."
  (let ((entries '()))
    (map-arena-map (lambda (key value) (push (cons key value) entries)) map)
    (nreverse entries)))

(defun alist-arena-map (arena alist)
  "A new map with the entries of ALIST; of equal keys the first counts."
  (let ((map (make-arena-map arena :size (length alist))))
    (loop for (key . value) in (reverse alist)
          do (setf (arena-map-ref map key) value))
    map))
