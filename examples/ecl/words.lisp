;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Counts the words of the texts below /usr/share/doc and
;;;; /usr/share/common-licenses, and keeps many generated records under their
;;;; numbers: once in a map in an arena, once in a hash table. Tells what each
;;;; has cost. `build` compiles it into words.fas, beside acre.fas:
;;;;
;;;;   ecl --norc --shell build/ecl/module/words.fas [RECORDS [TEXTS]]
;;;;
;;;; RECORDS are 1000000 otherwise, TEXTS all that there are. The status is 1 where
;;;; the two differ.

(eval-when (:compile-toplevel :load-toplevel :execute)
  (unless (find-package "ACRE")
    (load (merge-pathnames "acre.fas" *load-truename*))))

(defpackage "WORDS" (:use "COMMON-LISP" "ACRE"))
(in-package "WORDS")

(proclaim '(optimize (speed 2) (safety 1) (debug 0)))

;;; ---------------------------------------------------------------- the words

(defun texts ()
  "The paths of the texts that there are."
  (loop for wild in '("/usr/share/common-licenses/*"
                      "/usr/share/doc/*/copyright"
                      "/usr/share/doc/*/README*"
                      "/usr/share/doc/*/*.txt")
        append (remove-if-not #'pathname-name
                              (directory wild :resolve-symlinks nil))))

(defun bytes-of (path)
  "A file's bytes, in a vector; none where it cannot be read."
  (flet ((bytes (count)
           (make-array count :element-type '(unsigned-byte 8))))
    (or (ignore-errors
         (with-open-file (in path :element-type '(unsigned-byte 8))
           (let ((bytes (bytes (file-length in))))
             (read-sequence bytes in)
             bytes)))
        (bytes 0))))

(declaim (inline letter))
(defun letter (byte)
  "The small letter that a byte is, or NIL."
  (declare (type (unsigned-byte 8) byte))
  (cond ((<= 97 byte 122) (code-char byte))
        ((<= 65 byte 90) (code-char (+ byte 32)))))

(defun map-words (function bytes)
  "Calls FUNCTION with each run of letters, as a new string."
  (declare (type (simple-array (unsigned-byte 8) (*)) bytes)
           (type function function))
  (let ((start -1) (end (length bytes)))
    (declare (type fixnum start end))
    (dotimes (i (1+ end))
      (declare (type fixnum i))
      (if (and (< i end) (letter (aref bytes i)))
          (when (minusp start) (setf start i))
          (unless (minusp start)
            (let ((word (make-string (- i start) :element-type 'base-char)))
              (declare (type simple-base-string word))
              (dotimes (j (length word))
                (declare (type fixnum j))
                (setf (schar word j) (letter (aref bytes (+ start j)))))
              (funcall function word)
              (setf start -1)))))))

(defun decimal (number)
  "The number as text; FORMAT would take most of the program's time."
  (declare (type (unsigned-byte 60) number))
  (let ((digits '()))
    (loop (multiple-value-bind (rest digit) (floor number 10)
            (push (code-char (+ 48 digit)) digits)
            (setf number rest)
            (when (zerop number) (return (coerce digits 'string)))))))

(defun record (number)
  "The key and the text of a generated record."
  (cons (concatenate 'string "record " (decimal number))
        (concatenate 'string "customer " (decimal (mod (* number 7919) 100003))
                     ", town " (decimal (mod number 977)) ": paid")))

(defconstant +batch+ 50000)

(defun map-batches (function produce)
  "Calls FUNCTION with vectors of what PRODUCE calls its argument with. So what
makes words and records is not timed."
  (let ((batch (make-array +batch+ :fill-pointer 0)))
    (flet ((pass-on ()
             (funcall function batch)
             (fill batch nil)
             (setf (fill-pointer batch) 0)))
      (funcall produce (lambda (item)
                         (vector-push item batch)
                         (when (= (fill-pointer batch) +batch+) (pass-on))))
      (pass-on))))

(defun word-producer (texts)
  (lambda (add)
    (dolist (path texts) (map-words add (bytes-of path)))))

(defun record-producer (count)
  (lambda (add)
    (dotimes (number count) (funcall add (record number)))))

;;; ----------------------------------------- the same with a map, with a table

(defgeneric size-of (entries)
  (:method ((entries arena-map)) (arena-map-count entries))
  (:method ((entries hash-table)) (hash-table-count entries)))

(defgeneric count-words (entries words)
  (:method ((entries arena-map) words)
    (loop for word across words do (incf (arena-map-ref entries word 0))))
  (:method ((entries hash-table) words)
    (loop for word across words do (incf (gethash word entries 0)))))

(defgeneric store-records (entries records)
  (:method ((entries arena-map) records)
    (loop for (key . text) across records
          do (setf (arena-map-ref entries key) text)))
  (:method ((entries hash-table) records)
    (loop for (key . text) across records
          do (setf (gethash key entries) text))))

(defgeneric sum-of-counts (entries words)
  (:documentation "Of the counts of these words.")
  (:method ((entries arena-map) words)
    (loop for word across words sum (arena-map-ref entries word)))
  (:method ((entries hash-table) words)
    (loop for word across words sum (gethash word entries))))

(defgeneric sum-of-lengths (entries records)
  (:documentation "Of the texts that are there for the keys of these records.")
  (:method ((entries arena-map) records)
    (loop for (key) across records sum (length (arena-map-ref entries key))))
  (:method ((entries hash-table) records)
    (loop for (key) across records sum (length (gethash key entries)))))

;;; --------------------------------------------------------------- measurement

(defun milliseconds-of (function)
  (let ((start (get-internal-real-time)))
    (funcall function)
    (* 1000 (/ (- (get-internal-real-time) start)
               internal-time-units-per-second))))

(defun collection-milliseconds ()
  "The median of nine times of (si:gc t), each taken over five."
  (si:gc t)
  (let ((times (loop repeat 9
                     collect (milliseconds-of (lambda ()
                                                (dotimes (i 5) (si:gc t)))))))
    (/ (nth 4 (sort times #'<)) 5)))

(defstruct result size sum insert look-up collection)

(defun measure (entries words records)
  "Fills ENTRIES, an empty map or table, from the two producers, and reads it."
  (let ((insert 0) (look-up 0) (sum 0))
    (flet ((insert (function produce)
             (map-batches (lambda (batch)
                            (incf insert (milliseconds-of
                                          (lambda ()
                                            (funcall function entries batch)))))
                          produce))
           (look-up (function produce)
             (map-batches (lambda (batch)
                            (incf look-up
                                  (milliseconds-of
                                   (lambda ()
                                     (incf sum (funcall function entries
                                                        batch))))))
                          produce)))
      (insert #'count-words words)
      (insert #'store-records records)
      (look-up #'sum-of-counts words)
      (look-up #'sum-of-lengths records))
    (make-result :size (size-of entries) :sum sum :insert insert
                 :look-up look-up :collection (collection-milliseconds))))

(defun print-row (name reader map table)
  (let ((of-map (funcall reader map)) (of-table (funcall reader table)))
    (format t "~20a ~10,2f ~12,2f   ~,2f~%" name of-map of-table
            (/ of-table (max of-map 1/1000)))))

(defun main (record-count &optional text-count)
  (let* ((all (texts))
         (texts (subseq all 0 (min (length all)
                                   (or text-count (length all)))))
         (words (word-producer texts))
         (records (record-producer record-count))
         (map (with-arena (arena :name "words")
                (measure (make-arena-map arena) words records)))
         (neither (collection-milliseconds))
         (table (measure (make-hash-table :test 'equal) words records))
         (agree (and (= (result-size map) (result-size table))
                     (= (result-sum map) (result-sum table)))))
    (format t "~d texts, ~d records: ~d entries~%~%" (length texts) record-count
            (result-size table))
    (format t "~20a ~10@a ~12@a   table/map~%" "milliseconds" "arena map"
            "hash table")
    (print-row "insert" #'result-insert map table)
    (print-row "look up" #'result-look-up map table)
    (print-row "(si:gc t)" #'result-collection map table)
    (format t "~20a ~10,2f~%~%" "(si:gc t), neither" neither)
    (format t "Map and table ~:[differ~;agree~].~%" agree)
    (ext:quit (if agree 0 1))))

(defun numbers ()
  "Those at the end of the command line."
  (let ((numbers '()))
    (dolist (text (reverse (ext:command-args)) numbers)
      (let ((number (parse-integer text :junk-allowed t)))
        (if number (push number numbers) (return numbers))))))

(apply #'main (or (numbers) '(1000000)))
