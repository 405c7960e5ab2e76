; SPDX-License-Identifier: MIT
; Texts that are made and thrown away, and one that stays.
(define (grow n)
  (let loop ((i 0) (text ""))
    (if (= i n) text
        (loop (+ i 1) (string-append text (number->string i) ",")))))
(define (many n) (do ((i 0 (+ i 1)) (sum 0 (+ sum (string-length (grow 60))))) ((= i n) sum)))
(display "strings ") (display (many 1500)) (newline)
(define text (grow 20))
(display text) (newline)
(display (string->symbol (string-append "made-" "here"))) (newline)
