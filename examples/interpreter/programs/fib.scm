; SPDX-License-Identifier: MIT
(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(display "fib ") (display (fib 25)) (newline)
