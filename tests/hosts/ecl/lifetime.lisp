;;;; SPDX-License-Identifier: MIT
;;;;
;;;; The collector. Part of acre-test.lisp.

(in-package "ACRE-TEST")

(defun resident-bytes ()
  (with-open-file (in "/proc/self/statm")
    (read in)
    (* 4096 (read in))))

(test "ten collections under pressure, held by a handle alone"
  (let ((map (fill-map (make-arena-map (make-arena)) 5000)))
    (collect-hard)
    (check-map map 5000)))

(test "the same for what hangs from it"
  (let* ((arena (make-arena))
         (map (make-arena-map arena))
         (inner (make-arena-map arena)))
    (setf (arena-map-ref map "inner") inner)
    (fill-map inner 5000)
    (setf inner nil arena nil)
    (let ((vector (make-arena-vector (arena-of map)))
          (string (make-arena-string (arena-of map) "text")))
      (dotimes (i 1000) (arena-vector-push (key i) vector))
      (collect-hard)
      (check-map (arena-map-ref map "inner") 5000)
      (check-equal "key number 999" (arena-vector-ref vector 999))
      (check-equal "text" (arena-string-text string)))))

(defvar *held* nil "A handle that only the collected heap refers to.")

(test "handles in Lisp's own heap keep their arena"
  (setf *held* (list (vector (fill-map (make-arena-map (make-arena)) 5000))))
  (clear-stack)
  (collect-hard)
  (check-map (svref (first *held*) 0) 5000)
  (setf *held* nil))

(defun object-holder (collected)
  "A map that alone holds conses, strings, closures and vectors."
  (let ((map (make-arena-map (make-arena :holds-objects t
                                         :collected collected))))
    (dotimes (i 1000)
      (let ((i i))
        (setf (arena-map-ref map i) (list i (key i) (vector i (list i)))
              (arena-map-ref map (- -1 i)) (lambda () (list i)))))
    map))

(defun check-objects (map)
  (dotimes (i 1000)
    (destructuring-bind (number string vector) (arena-map-ref map i)
      (check-equal i number)
      (check-equal (key i) string)
      (check-equal (list i) (svref vector 1)))
    (check-equal (list i) (funcall (arena-map-ref map (- -1 i))))))

(test "conses held only by an arena survive ten collections under pressure"
  (dolist (collected '(t nil))
    (let ((map (object-holder collected)))
      (clear-stack)
      (collect-hard)
      (check-objects map)
      (end-arena (arena-of map)))))

(test "objects in vectors, and as keys"
  (with-arena (arena :holds-objects t)
    (let ((vector (make-arena-vector arena)) (map (make-arena-map arena)))
      (dotimes (i 1000)
        (arena-vector-push (cons i (key i)) vector)
        (setf (arena-map-ref map (list i (key i))) i))
      (clear-stack)
      (collect-hard)
      (dotimes (i 1000)
        (check-equal (cons i (key i)) (arena-vector-ref vector i)))
      (do-arena-map (key value map)
        (check-equal (list value (key value)) key)))))

(test "objects that were erased are collected"
  (let ((weak '()))
    (with-map (map :holds-objects t)
      (dotimes (i 200)
        (let ((object (vector i)))
          (push (ext:make-weak-pointer object) weak)
          (setf (arena-map-ref map i) object)))
      (clear-stack)
      (collect-hard 3)
      (check (every #'ext:weak-pointer-value weak))
      (dotimes (i 200) (arena-map-remove map i))
      (clear-stack)
      (collect-hard 3)
      (check (<= (count-if #'ext:weak-pointer-value weak) 20)))))

(defun drop-arenas (count gone)
  "Makes arenas of more than a megabyte and drops them. GONE is called for each
handle that the collector frees."
  (dotimes (i count)
    (let* ((arena (make-arena :name (key i))) (map (make-arena-map arena)))
      (ext:set-finalizer arena gone)
      (setf (arena-map-ref map "big") (make-string 1000000
                                                   :initial-element #\x))
      (fill-map map 1000))))

(test "300 arenas that were dropped are gone"
  (let ((gone 0) (before (resident-bytes)))
    (drop-arenas 300 (lambda (arena) (declare (ignore arena)) (incf gone)))
    (clear-stack)
    (collect-hard 5)
    (check (<= 295 gone))
    (check (< (- (resident-bytes) before) 150000000))))

(defun collection-milliseconds ()
  "The least of five times of (si:gc t), each taken over five."
  (si:gc t)
  (loop repeat 5
        minimize (let ((start (get-internal-real-time)))
                   (dotimes (i 5) (si:gc t))
                   (/ (* 200 (- (get-internal-real-time) start))
                      internal-time-units-per-second))))

;; Checked builds look into arenas at collections.
(test "a collection does not walk what is in an arena"
  (let* ((neither (collection-milliseconds))
         (map (fill-map (make-arena-map (make-arena)) 300000))
         (with-map (collection-milliseconds))
         (table (make-hash-table :test 'equal)))
    (dotimes (i 300000) (setf (gethash (key i) table) i))
    (let ((with-table (collection-milliseconds)))
      (format t "   (si:gc t): ~,2f ms, ~,2f ms with a map in an arena, ~
                 ~,2f ms with a table too~%" neither with-map with-table)
      (check (or (nth-value 1 (library-version))
                 (< (* 4 (- with-map neither)) (- with-table with-map))))
      (check-equal 300000 (arena-map-count map))
      (check-equal 300000 (hash-table-count table)))))
