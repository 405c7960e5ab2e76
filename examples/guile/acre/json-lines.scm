;;;; SPDX-License-Identifier: MIT
;;;;
;;;; What acre's audits write, as lists: one JSON object a line. Objects become
;;;; association lists with symbols, arrays lists, null the symbol null.

(define-module (acre json-lines)
  #:use-module (ice-9 rdelim)
  #:export (json-lines->list))

(define (json-lines->list text)
  "The objects of TEXT, one a line, in order."
  (call-with-input-string text
    (lambda (port)
      (let next ((objects '()))
        (skip-space port)
        (if (eof-object? (peek-char port))
            (reverse objects)
            (next (cons (read-value port) objects)))))))

(define (skip-space port)
  (let ((c (peek-char port)))
    (when (and (char? c) (char-whitespace? c))
      (read-char port)
      (skip-space port))))

(define (fail port c)
  (error "acre: not the JSON of an audit, at" (port-column port) c))

(define (expect port wanted)
  (skip-space port)
  (let ((c (read-char port)))
    (unless (eqv? c wanted) (fail port c))))

(define (read-value port)
  (skip-space port)
  (let ((c (peek-char port)))
    (cond
     ((eqv? c #\{) (read-items port #\} read-member))
     ((eqv? c #\[) (read-items port #\] read-value))
     ((eqv? c #\") (read-text port))
     (else (read-word port)))))

(define (read-items port end read-item)
  (read-char port)
  (skip-space port)
  (if (eqv? (peek-char port) end)
      (begin (read-char port) '())
      (let next ((items (list (read-item port))))
        (skip-space port)
        (let ((c (read-char port)))
          (cond
           ((eqv? c #\,) (next (cons (read-item port) items)))
           ((eqv? c end) (reverse items))
           (else (fail port c)))))))

(define (read-member port)
  (skip-space port)
  (let ((name (read-text port)))
    (expect port #\:)
    (cons (string->symbol name) (read-value port))))

(define (read-text port)
  (expect port #\")
  (let next ((chars '()))
    (let ((c (read-char port)))
      (cond
       ((eof-object? c) (fail port c))
       ((eqv? c #\") (reverse-list->string chars))
       ((eqv? c #\\) (next (cons (read-escape port) chars)))
       (else (next (cons c chars)))))))

(define (read-unit port)
  "The four hexadecimal digits behind \\u."
  (string->number (string (read-char port) (read-char port) (read-char port)
                          (read-char port))
                  16))

(define (read-escape port)
  (let ((c (read-char port)))
    (case c
      ((#\n) #\newline)
      ((#\t) #\tab)
      ((#\r) #\return)
      ((#\b) #\backspace)
      ((#\f) #\page)
      ((#\u) (read-code-point port))
      (else c))))

(define (read-code-point port)
  (let ((unit (read-unit port)))
    (if (<= #xd800 unit #xdbff)
        (begin
          (expect port #\\)
          (expect port #\u)
          (integer->char (+ #x10000 (ash (- unit #xd800) 10)
                            (- (read-unit port) #xdc00))))
        (integer->char unit))))

(define (read-word port)
  (let ((word (read-delimited ",]} \n" port 'peek)))
    (cond
     ((equal? word "true") #t)
     ((equal? word "false") #f)
     ((equal? word "null") 'null)
     (else (or (string->number word) (fail port word))))))
