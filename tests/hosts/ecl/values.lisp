;;;; SPDX-License-Identifier: MIT
;;;;
;;;; What goes into an arena and what comes back. Part of acre-test.lisp.

(in-package "ACRE-TEST")

(defparameter *infinity* ext:double-float-positive-infinity)
(defparameter *minus-infinity* ext:double-float-negative-infinity)
(defparameter *nan* (ext:nan))

(defun bytes (&rest bytes)
  (make-array (length bytes) :element-type '(unsigned-byte 8)
                             :initial-contents bytes))

(defun extended (text)
  (coerce text '(simple-array character (*))))

(defun code-points (&rest codes)
  (map '(vector character) #'code-char codes))

(defparameter *strings*
  (list "" "a" "hello" (extended "hello, extended")
        (code-points 233 98 99)                     ; Latin-1
        (coerce (code-points 255 128 65) 'base-string)
        (code-points 955 8364 #x10FFFF #x1F600)     ; two to four bytes
        (code-points 65 0 66 0)                     ; zeros inside
        (code-points #xD800 65)                     ; half of a surrogate pair
        (make-string 23 :initial-element #\x)
        (make-string 24 :initial-element #\x)
        (make-string 100000 :initial-element #\y)
        (make-string 70 :initial-element (code-char 955))
        (make-string 100000 :initial-element (code-char #x1F600)))
  "Texts of all sizes and widths.")

(defparameter *doubles*
  (list 0d0 -0d0 1d0 -1.5d0 1d308 *infinity* *minus-infinity* *nan*
        double-float-epsilon least-positive-double-float
        least-negative-double-float most-positive-double-float))

(defparameter *others*
  (list 0 1 -1 most-positive-fixnum most-negative-fixnum
        (1+ most-positive-fixnum) (1- (expt 2 63)) (- (expt 2 63))
        nil t :keyword 'own-symbol 'car '|with : colons:| :|lower case| '||
        (intern (code-points 955 66) "ACRE-TEST")
        #\a #\Newline (code-char 0) (code-char 955) (code-char #x10FFFF)
        (bytes) (bytes 0 255 7)
        (make-array 5000 :element-type '(unsigned-byte 8)
                         :initial-element 200)))

(defmacro with-map ((map &rest options) &body body)
  `(with-arena (arena ,@options)
     (let ((,map (make-arena-map arena))) ,@body)))

(defun round-trip (value)
  "VALUE as the value, as a key, and in a vector."
  (with-map (map)
    (setf (arena-map-ref map 1) value)
    (check-equal value (arena-map-ref map 1))
    (arena-map-clear map)
    (setf (arena-map-ref map value) 7)
    (check-equal 7 (arena-map-ref map value))
    (do-arena-map (key found map)
      (check-equal value key))
    (check (arena-map-remove map value))
    (check (not (arena-map-remove map value)))
    (let ((vector (make-arena-vector (arena-of map))))
      (arena-vector-push value vector)
      (check-equal value (arena-vector-ref vector 0)))))

(test "strings come back equal" (mapc #'round-trip *strings*))
(test "doubles come back, NaN and infinities too" (mapc #'round-trip *doubles*))
(test "symbols, integers, characters and bytes come back"
  (mapc #'round-trip *others*))

(test "all values side by side as keys"
  (let ((all (append *strings* *doubles* *others*)))
    (with-map (map)
      (loop for value in all for i from 0
            do (setf (arena-map-ref map value) i))
      (check-equal (length all) (arena-map-count map))
      (loop for value in all for i from 0
            do (check-equal i (arena-map-ref map value))))))

(test "strings that are equal are one key, of whatever type"
  (with-map (map)
    (setf (arena-map-ref map (coerce "abc" 'base-string)) 1)
    (check-equal 1 (arena-map-ref map (extended "abc")))
    (flet ((made (size type &rest options)
             (apply #'make-array size :element-type type options)))
      (dolist (equal (list (made 3 'character :initial-contents "abc"
                                              :adjustable t)
                           (made 9 'base-char :initial-contents "abcdefghi"
                                              :fill-pointer 3)
                           (made 3 'base-char
                                 :displaced-to (coerce "xabc" 'base-string)
                                 :displaced-index-offset 1)))
        (check-equal 1 (arena-map-ref map equal))))
    (setf (arena-map-ref map (coerce (code-points 233) 'base-string)) 2)
    (check-equal 2 (arena-map-ref map (extended (code-points 233))))
    (check-equal 2 (arena-map-count map))))

(test "kinds are told apart"
  (with-map (map)
    (loop for key in (list "a" :a 'a #\a (bytes 97) 97 97d0 nil "NIL" t "T")
          for i from 0
          do (setf (arena-map-ref map key) i))
    (check-equal 11 (arena-map-count map))
    (check-equal 6 (arena-map-ref map 97.0))
    (check-equal 8 (arena-map-ref map "NIL"))))

(test "single-floats come back as doubles"
  (with-map (map)
    (dolist (single (list 1.5f0 most-positive-single-float
                          least-positive-single-float
                          ext:single-float-negative-infinity))
      (setf (arena-map-ref map "x") single)
      (check-equal (if (ext:float-infinity-p single)
                       *minus-infinity*
                       (coerce single 'double-float))
                   (arena-map-ref map "x"))
      (check (typep (arena-map-ref map "x") 'double-float)))))

(test "a string that was given back is the caller's"
  (with-map (map)
    (setf (arena-map-ref map "k") "value")
    (let ((found (arena-map-ref map "k")))
      (setf (char found 0) #\V)
      (check-equal "value" (arena-map-ref map "k"))
      (arena-map-clear map)
      (check-equal "Value" found))))

(test "keywords come back as the same symbols, of other packages too"
  (with-map (map)
    (dolist (symbol '(:a a car acre:arena-map |a:b|))
      (setf (arena-map-ref map symbol) symbol)
      (check (eq symbol (arena-map-ref map symbol))))))

(test "a symbol whose package has gone"
  (let ((package (make-package "ACRE-TEST-GONE" :use nil)))
    (with-map (map)
      (setf (arena-map-ref map 1) (intern "X" package))
      (delete-package package)
      (check-signals arena-type-error (arena-map-ref map 1)))))

(test "packages with colons are refused"
  (let ((package (make-package "ACRE:TEST" :use nil)))
    (with-map (map)
      (check-signals arena-type-error
        (setf (arena-map-ref map 1) (intern "X" package)))
      (check-signals arena-type-error (arena-map-ref map (intern "X" package)))
      (check-equal 0 (arena-map-count map)))
    (delete-package package)))

(test "numbers that have no form are refused"
  (dolist (holds-objects '(nil t))
    (with-map (map :holds-objects holds-objects)
      (dolist (number (list (expt 2 63) (1- (- (expt 2 63))) (expt 10 50) 1/2
                            #c(1 2) #c(1d0 2d0) 1l0))
        (check-signals arena-type-error (setf (arena-map-ref map "x") number))
        (check-signals arena-type-error (setf (arena-map-ref map number) 1))
        (check-signals arena-type-error (arena-map-ref map number))
        (check-signals arena-type-error (arena-map-remove map number)))
      (check-equal 0 (arena-map-count map)))))

(test "objects go into arenas that hold them"
  (with-map (map :holds-objects t)
    (let ((objects (list (cons 1 2) (vector 1 2) #'car (lambda () 1)
                         (make-hash-table) (find-class 'arena-map)
                         (make-symbol "GENSYM") #p"/tmp/" #*1010 *package*
                         (make-array 3 :element-type 'double-float))))
      (loop for object in objects for i from 0
            do (setf (arena-map-ref map i) object
                     (arena-map-ref map object) i))
      (loop for object in objects for i from 0
            do (check (eq object (arena-map-ref map i)))
               (check-equal i (arena-map-ref map object)))
      (check (null (arena-map-ref map (cons 1 2)))))))

(test "objects are refused by other arenas"
  (with-map (map)
    (let ((vector (make-arena-vector arena)))
      (dolist (object (list (cons 1 2) #'car (make-symbol "X")
                            (make-hash-table)))
        (check-signals object-refused (setf (arena-map-ref map "x") object))
        (check-signals object-refused (setf (arena-map-ref map object) 1))
        (check-signals object-refused (arena-vector-push object vector)))
      (check-equal 0 (arena-map-count map))
      (check-equal 0 (arena-vector-length vector)))))

(test "maps, vectors and strings in each other"
  (with-map (map)
    (let ((inner (make-arena-map arena))
          (vector (make-arena-vector arena))
          (string (make-arena-string arena "text")))
      (setf (arena-map-ref map "inner") inner
            (arena-map-ref inner "outer") map
            (arena-map-ref inner "vector") vector)
      (arena-vector-push string vector)
      (arena-vector-push inner vector)
      (setf (arena-map-ref (arena-map-ref map "inner") "k") "v")
      (check-equal "v" (arena-map-ref inner "k"))
      (check (arena-same-p inner (arena-map-ref map "inner")))
      (check (arena-same-p map (arena-map-ref inner "outer")))
      (check (not (arena-same-p map inner)))
      (check (arena-same-p arena (arena-of (arena-map-ref map "inner"))))
      (check (arena-string-p (arena-vector-ref vector 0)))
      (check-equal "text" (arena-string-text (arena-vector-ref vector 0)))
      (setf (arena-map-ref map inner) :by-identity)
      (check-equal :by-identity
                   (arena-map-ref map (arena-vector-ref vector 1))))))
