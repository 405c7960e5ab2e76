;;;; SPDX-License-Identifier: MIT
;;;;
;;;; Arenas, and what all handles have in common. Part of acre.lisp.

(defun arena-flags (collected holds-objects)
  (logior (if collected (constant-of :int "ACRE_COLLECTED") 0)
          (if holds-objects (constant-of :int "ACRE_HOLDS_OBJECTS") 0)))

(defun make-arena (&key (name "arena") holds-objects byte-limit (collected t))
  "A new arena. It has no entries itself: make maps, vectors and strings in it.

NAME is for messages. With HOLDS-OBJECTS, conses, functions and other Lisp
objects may be keys and values: the arena keeps them alive. BYTE-LIMIT, or NIL,
is the most that it may take from the system. With COLLECTED, the collector ends
the arena when no handle of it or of anything in it is left; otherwise it lives
until END-ARENA: see WITH-ARENA.

Signals ARENA-OUT-OF-MEMORY."
  (check-type name (or string symbol))
  (check-type byte-limit (or null (integer 1 #.most-positive-fixnum)))
  (let* ((name (string name))
         (data (ffi:c-inline (name (arena-flags collected holds-objects)
                                   (or byte-limit 0))
                             (:object :int :unsigned-long) :object
                             "HostArenaNew(#0,#1,#2)" :one-liner t)))
    (if (failed-p data)
        (signal-failure (last-status) 'make-arena nil)
        (make-arena-handle data name byte-limit))))

(defun end-arena (arena)
  "Ends the arena and all in it, and gives its memory back. What still refers to
it signals STALE-REFERENCE from here on. To end what has ended does nothing."
  (check-type arena arena)
  (when (arena-live-p arena)
    (done (status-of "HostArenaEnd" arena) 'end-arena arena)))

(defmacro with-arena ((variable &rest options) &body body)
  "BODY with VARIABLE bound to a new arena, which ends when BODY is left in
whatever way. OPTIONS are MAKE-ARENA's, but for :COLLECTED: NIL is the default.
The values are BODY's; handles among them are stale: COPY-TO-ARENA first."
  (let ((arena (gensym "ARENA")))
    `(let ((,arena (make-arena ,@options :collected nil)))
       (unwind-protect (let ((,variable ,arena)) ,@body)
         (end-arena ,arena)))))

(defun reset-arena (arena &key release)
  "Ends all that is in the arena, which can be used on. Its memory is kept for
that, unless RELEASE. Handles of what was in it are stale."
  (let ((mode (if release
                  (constant-of :int "ACRE_RELEASE_CHUNKS")
                  (constant-of :int "ACRE_KEEP_CHUNKS"))))
    (done (ffi:c-inline (arena mode) (:object :int) :int
                        "HostArenaReset(#0,#1)" :one-liner t)
          'reset-arena arena)))

(defun checkpoint-arena (arena)
  "A mark for REWIND-ARENA. While it is open, what is older must not grow:
that signals ACRE-ERROR."
  (let ((mark (object-of "HostArenaCheckpoint" arena)))
    (if (failed-p mark)
        (signal-failure (last-status) 'checkpoint-arena arena)
        (make-arena-mark mark arena))))

(defun rewind-arena (arena mark)
  "Ends all that was made in the arena since the mark. The mark is used up, and
younger ones with it."
  (check-type mark arena-mark)
  (unless (eq arena (mark-arena mark))
    (error 'arena-type-error :operation 'rewind-arena :datum mark
                             :message "a mark of another arena"))
  (let ((data (mark-data mark)))
    (done (status-of "HostArenaRewind" arena data) 'rewind-arena arena)))

(defun arena-name (arena)
  "The arena's name, a string; of ended arenas too."
  (check-type arena arena)
  (handle-name arena))

(defun arena-live-p (arena)
  "False when END-ARENA or WITH-ARENA has ended the arena."
  (check-type arena arena)
  (ffi:c-inline (arena) (:object) :bool "HostData(#0)!=NULL" :one-liner t))

(defun arena-byte-limit (arena)
  "The most bytes that the arena may take from the system, or NIL. SETF sets it;
what is held already stays."
  (check-type arena arena)
  (handle-byte-limit arena))

(defun (setf arena-byte-limit) (bytes arena)
  (check-type bytes (or null (integer 1 #.most-positive-fixnum)))
  (done (ffi:c-inline (arena (or bytes 0)) (:object :unsigned-long) :int
                      "HostArenaLimit(#0,#1)" :one-liner t)
        'arena-byte-limit arena)
  (setf (handle-byte-limit arena) bytes))

(defun arena-stats (arena)
  "A property list: :CHUNKS in use, :RESERVED bytes held from the system, :LIVE
bytes handed out, the number of :RESETS. Constant time."
  (multiple-value-bind (status chunks reserved live resets)
      (ffi:c-inline (arena) (:object)
                    (values :int :unsigned-long :unsigned-long :unsigned-long
                            :unsigned-long)
                    "{ acre_stats stats;
                       memset(&stats, 0, sizeof stats);
                       @(return 0)=HostArenaStats(#0,&stats);
                       @(return 1)=stats.chunks; @(return 2)=stats.reserved;
                       @(return 3)=stats.live; @(return 4)=stats.resets; }")
    (done status 'arena-stats arena)
    (list :chunks chunks :reserved reserved :live live :resets resets)))

;;; --------------------------------------------------------------------- audits

(defun lines-of (text)
  (loop for start = 0 then (1+ end)
        for end = (position #\Newline text :start start)
        when (< start (or end (length text)))
          collect (subseq text start end)
        while end))

(defun audit-lines (handle findings operation)
  (let ((text (ffi:c-inline (handle findings) (:object :bool) :object
                            "HostAudit(#0,#1)" :one-liner t)))
    (if (failed-p text)
        (signal-failure (last-status) operation handle)
        (lines-of text))))

(defun arena-audit (handle)
  "What is wrong with pointers in an arena, or in what a map, vector or string
reaches: a list of strings, each a JSON object of one line. The first has
\"leaks\": 0 where all is well; findings follow, then a summary. Linear."
  (audit-lines handle nil 'arena-audit))

(defun arena-take-findings (arena)
  "What audits at collections have found since the last call, in the form of
ARENA-AUDIT. NIL if nothing, as always with a release build of acre."
  (audit-lines arena t 'arena-take-findings))

;;; -------------------------------------------- what all handles have in common

(defun arena-of (ref)
  "The arena that a map, vector or string lies in."
  (check-type ref arena-ref)
  (ref-arena ref))

(defun arena-ref-live-p (ref)
  "False when what the handle refers to has ended."
  (check-type ref arena-ref)
  (ffi:c-inline (ref) (:object) :bool "HostIsLive(#0)" :one-liner t))

(defun arena-same-p (one other)
  "Whether two handles are of the same arena, map, vector or string. Each
look-up of a nested map makes a handle: EQ and EQUALP are no answer to that."
  (ffi:c-inline (one other) (:object :object) :bool "HostIsSame(#0,#1)"
                :one-liner t))

(defun free (ref)
  "Ends one map, vector or string; its memory is used again. What it referred to
stays. Handles of it are stale. Signals STALE-REFERENCE where it has ended."
  (done (status-of "HostFree" ref) 'free ref))

(defun copy-to-arena (ref arena)
  "A copy of a map, vector or string, and of all that it reaches, in an arena:
its handle. Sharing and cycles are kept; Lisp objects are shared, not copied.
How a result leaves WITH-ARENA."
  (make-it (lambda () (object-of "HostCopy" ref arena)) 'copy-to-arena arena))

(defun make-in (arena kind room operation)
  (make-it (lambda ()
             (ffi:c-inline (arena kind room) (:object :int :unsigned-long)
                           :object "HostNew(#0,#1,#2)" :one-liner t))
           operation arena))

(defun size-of (handle operation)
  "The number of entries, elements or bytes."
  (multiple-value-bind (status size)
      (ffi:c-inline (handle) (:object) (values :int :unsigned-long)
                    "{ size_t size=0; @(return 0)=HostSize(#0,&size);
                       @(return 1)=size; }")
    (done status operation handle)
    size))

(defun size-text (ref)
  "How much is in it, or what to say instead. Never signals."
  (handler-case
      (format nil "~s ~d ~a" (handle-name (ref-arena ref)) (size-of ref nil)
              (etypecase ref
                (arena-map "entries")
                (arena-vector "elements")
                (arena-string "bytes")))
    (error () "stale")))

(defun arena-text (arena)
  (handler-case
      (format nil "~s ~:[ended~;~:*~d bytes~]" (handle-name arena)
              (and (arena-live-p arena) (getf (arena-stats arena) :live)))
    (error () "ended")))

(defmethod print-object ((ref arena-ref) stream)
  (print-unreadable-object (ref stream)
    (format stream "~a ~a" (symbol-name (type-of ref)) (size-text ref))))

(defmethod print-object ((arena arena) stream)
  (print-unreadable-object (arena stream)
    (format stream "ARENA ~a" (arena-text arena))))

(defmethod print-object ((mark arena-mark) stream)
  (print-unreadable-object (mark stream)
    (format stream "ARENA-MARK of ~s" (handle-name (mark-arena mark)))))
