; SPDX-License-Identifier: MIT
; Forest Baskett's puzzle, of Gabriel's benchmarks: eighteen pieces of four kinds
; fill a cube of 5 by 5 by 5. How many trials it takes in this order is known.
(define side 8)                ; the cube, and a wall around it
(define size (* side side side))
(define (index x y z) (+ x (* side (+ y (* side z)))))
(define board (make-vector size #t))
(define left (vector 13 3 1 1))          ; pieces of each kind
(define shapes '((0 3 1 0) (0 1 0 3) (0 0 3 1) (0 1 3 0) (0 3 0 1) (0 0 1 3)
                 (1 2 0 0) (1 0 2 0) (1 0 0 2)
                 (2 1 1 0) (2 1 0 1) (2 0 1 1)
                 (3 1 1 1)))

; Calls f with the place of each cell of a box, in order.
(define (for-each-cell from xs ys zs f)
  (do ((z from (+ z 1))) ((> z zs))
    (do ((y from (+ y 1))) ((> y ys))
      (do ((x from (+ x 1))) ((> x xs))
        (f (index x y z))))))

; A piece in one of its positions: #(kind cell ...).
(define (make-piece shape)
  (let ((cells '()))
    (for-each-cell 0 (cadr shape) (car (cddr shape)) (cadr (cddr shape))
                   (lambda (cell) (set! cells (cons cell cells))))
    (apply vector (cons (car shape) (reverse cells)))))
(define pieces (apply vector (map make-piece shapes)))
(define (kind piece) (vector-ref piece 0))

(define (fits? piece at)
  (let ((count (vector-length piece)))
    (let loop ((i 1))
      (or (= i count)
          (and (not (vector-ref board (+ at (vector-ref piece i))))
               (loop (+ i 1)))))))
(define (mark! piece at full)
  (do ((i 1 (+ i 1))) ((= i (vector-length piece)))
    (vector-set! board (+ at (vector-ref piece i)) full))
  (vector-set! left (kind piece)
               (+ (vector-ref left (kind piece)) (if full -1 1))))
; Where the first empty cell is then, 0 where there is none.
(define (place! piece at)
  (mark! piece at #t)
  (let loop ((cell at))
    (cond ((= cell size) 0)
          ((vector-ref board cell) (loop (+ cell 1)))
          (else cell))))

(define trials 0)
(define (try at)
  (set! trials (+ trials 1))
  (let loop ((i 0))
    (if (= i (vector-length pieces))
        #f
        (let ((piece (vector-ref pieces i)))
          (if (and (not (= (vector-ref left (kind piece)) 0)) (fits? piece at))
              (let ((next (place! piece at)))
                (cond ((or (try next) (= next 0)) #t)
                      (else (mark! piece at #f) (loop (+ i 1)))))
              (loop (+ i 1)))))))

(for-each-cell 1 5 5 5 (lambda (cell) (vector-set! board cell #f)))
(display "puzzle ")
(display (if (try (place! (vector-ref pieces 0) (index 1 1 1))) trials "fails"))
(newline)
