; SPDX-License-Identifier: MIT
; Derivatives of expressions that are lists.
(define (deriv a)
  (cond ((not (pair? a)) (if (eq? a 'x) 1 0))
        ((eq? (car a) '+) (cons '+ (map deriv (cdr a))))
        ((eq? (car a) '-) (cons '- (map deriv (cdr a))))
        ((eq? (car a) '*)
         (list '* a (cons '+ (map (lambda (b) (list '/ (deriv b) b)) (cdr a)))))
        (else (error "no derivative of" a))))
(define expression '(+ (* 3 x x) (* a x x) (* b x) 5))
(define (times n f) (let loop ((n n) (r #f)) (if (= n 0) r (loop (- n 1) (f)))))
(define result (times 20000 (lambda () (deriv expression))))
(display "deriv ") (write result) (newline)
