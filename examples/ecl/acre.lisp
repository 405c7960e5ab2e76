;;;; SPDX-License-Identifier: MIT
;;;;
;;;; acre in ECL: maps, vectors and growing strings in arenas that the collector
;;;; neither allocates nor scans. This file is the whole system: it takes in the
;;;; others when it is compiled, so that all is one acre.fas. `build` does that;
;;;; README.md shows how to use it.

(defpackage "ACRE"
  (:use "COMMON-LISP")
  (:export
   "LIBRARY-VERSION"
   ;; conditions
   "ACRE-ERROR" "ACRE-ERROR-OPERATION" "ACRE-ERROR-MESSAGE" "STALE-REFERENCE"
   "ARENA-OUT-OF-MEMORY" "ARENA-TYPE-ERROR" "ARENA-INDEX-ERROR"
   "OBJECT-REFUSED" "MAP-CHANGED" "RESET-ARENA" "RETRY"
   ;; arenas
   "ARENA" "ARENA-P" "MAKE-ARENA" "END-ARENA" "WITH-ARENA" "ARENA-NAME"
   "ARENA-LIVE-P" "ARENA-STATS" "ARENA-BYTE-LIMIT" "ARENA-AUDIT"
   "ARENA-TAKE-FINDINGS" "CHECKPOINT-ARENA" "REWIND-ARENA"
   ;; whatever lies in one
   "ARENA-OF" "ARENA-REF-P" "ARENA-REF-LIVE-P" "ARENA-SAME-P" "COPY-TO-ARENA"
   "FREE"
   ;; maps
   "ARENA-MAP" "ARENA-MAP-P" "MAKE-ARENA-MAP" "ARENA-MAP-REF"
   "ARENA-MAP-REMOVE" "ARENA-MAP-COUNT" "ARENA-MAP-CLEAR" "DO-ARENA-MAP"
   "MAP-ARENA-MAP" "ARENA-MAP-ALIST" "ALIST-ARENA-MAP"
   ;; vectors
   "ARENA-VECTOR" "ARENA-VECTOR-P" "MAKE-ARENA-VECTOR" "ARENA-VECTOR-REF"
   "ARENA-VECTOR-PUSH" "ARENA-VECTOR-POP" "ARENA-VECTOR-LENGTH"
   "DO-ARENA-VECTOR" "ARENA-VECTOR-LIST" "ARENA-VECTOR-SORT"
   ;; strings
   "ARENA-STRING" "ARENA-STRING-P" "MAKE-ARENA-STRING" "ARENA-STRING-APPEND"
   "ARENA-STRING-TEXT"))

(in-package "ACRE")

(ffi:clines "#include \"lisp_calls.h\"")

(eval-when (:compile-toplevel)
  (proclaim '(optimize (speed 2) (safety 1) (debug 0) (space 0))))

;;; ------------------------------------------------------------------- handles

;; What C reads: slot 0 is foreign data, with the address of the arena, or of an
;; acre_ref in memory that the collector scans; slot 1, of all but arenas, is
;; the handle of the arena. lisp_values.h relies on that order.

(defstruct (arena (:constructor make-arena-handle (data name byte-limit))
                  (:conc-name handle-) (:copier nil))
  "The handle of an arena: see MAKE-ARENA and WITH-ARENA."
  data
  (name "" :type string)
  (byte-limit nil))

(defstruct (arena-ref (:constructor nil) (:copier nil) (:conc-name ref-))
  "The handle of what lies in an arena: a map, a vector or a string."
  data
  (arena nil))

(defstruct (arena-map (:include arena-ref) (:constructor nil) (:copier nil))
  "The handle of a map: see MAKE-ARENA-MAP and ARENA-MAP-REF.")

(defstruct (arena-vector (:include arena-ref) (:constructor nil) (:copier nil))
  "The handle of a vector: see MAKE-ARENA-VECTOR and ARENA-VECTOR-REF.")

(defstruct (arena-string (:include arena-ref) (:constructor nil) (:copier nil))
  "The handle of a string that grows: see MAKE-ARENA-STRING.")

(defstruct (arena-mark (:constructor make-arena-mark (data arena))
                       (:conc-name mark-) (:copier nil))
  "A checkpoint: see CHECKPOINT-ARENA."
  data
  arena)

;;; --------------------------------------------------------------- calls into C

(defmacro status-of (call &rest arguments)
  "The status that the C function CALL answers for Lisp objects."
  `(ffi:c-inline ,arguments ,(mapcar (constantly :object) arguments) :int
                 ,(c-call call (length arguments)) :one-liner t))

(defmacro object-of (call &rest arguments)
  "The object that the C function CALL answers; see FAILED-P."
  `(ffi:c-inline ,arguments ,(mapcar (constantly :object) arguments) :object
                 ,(c-call call (length arguments)) :one-liner t))

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defun c-call (name count)
    "The text of a call: name(#0,#1)."
    (format nil "~a(~{#~d~^,~})" name (loop for i below count collect i))))

(defmacro failed-p (object)
  "Whether OBJECT is none at all: then (last-status) says why."
  `(ffi:c-inline (,object) (:object) :bool "#0==OBJNULL" :one-liner t))

(defmacro last-status ()
  `(ffi:c-inline () () :int "host_status" :one-liner t))

(defmacro constant-of (type expression)
  "A constant of C's, as it is when the system is compiled."
  `(ffi:c-inline () () ,type ,expression :one-liner t))

(defun check-library ()
  "Refuses a library that this file was not compiled for."
  (unless (ffi:c-inline () () :bool "acre_c_abi()==ACRE_C_ABI" :one-liner t)
    (error "acre.fas was built for another libacre-c.so: build it again")))

(defun library-version ()
  "The version of acre, a string, and whether it is a checked build: one that
tells of more misuse, and takes more time."
  (values (ffi:c-inline () () :cstring "acre_library_version()" :one-liner t)
          (ffi:c-inline () () :bool "acre_is_checked()" :one-liner t)))

(defun introduce (kind class)
  "Tells C the class of the handles of a kind; 0: arenas."
  (ffi:c-inline (kind class) (:int :object) :void "host_classes[#0]=#1"
                :one-liner t))

(check-library)
(introduce 0 (find-class 'arena))
(introduce (constant-of :int "ACRE_MAP") (find-class 'arena-map))
(introduce (constant-of :int "ACRE_VECTOR") (find-class 'arena-vector))
(introduce (constant-of :int "ACRE_BUILDER") (find-class 'arena-string))

;;; ---------------------------------------------------------------- other files

(defmacro include-files (&rest names)
  "The forms of other files beside this one, as if they stood here."
  (flet ((forms (name)
           (with-open-file (in (merge-pathnames name
                                                (or *compile-file-truename*
                                                    *load-truename*))
                               :external-format :utf-8)
             (loop for form = (read in nil in)
                   until (eq form in)
                   collect form))))
    `(progn ,@(mapcan #'forms names))))

(include-files "conditions.lisp" "arenas.lisp" "maps.lisp" "vectors.lisp"
               "strings.lisp")

(provide "ACRE")
