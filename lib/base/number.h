/*
 * number.h -- numbers as JSON spells them and as ECMAScript prints them.
 *
 * Floor 1.  ECMA-262 Number::toString gives the shortest digits that read back
 * as the same double.  Nothing here looks at the locale.  A literal is one that
 * RFC 8259 section 6 allows, already checked: no function here checks it again.
 */
#ifndef MIG_NUMBER_H
#define MIG_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_SIZE 32 /* room for every number printed here */

/* Print a finite double as ECMAScript does (-0 is 0), without a NUL; returns the number of bytes. */
size_t number_print(double v, char out[NUMBER_SIZE]);
size_t number_print_int(int64_t v, char out[NUMBER_SIZE]);

/*
 * The canonical spelling of a literal: an integer that fits a signed 64-bit
 * integer keeps its digits (-0 is 0), all else is printed as the double it is.
 * Returns its length, or 0 if that double is not finite.
 */
size_t number_canonical(const char *s, size_t n, char out[NUMBER_SIZE]);

/* The double nearest to a literal; +-HUGE_VAL if there is none. */
double number_value(const char *s, size_t n);

/* Is the literal an integer (no fraction, no exponent) that fits?  Then *v is its value. */
bool number_int(const char *s, size_t n, int64_t *v);

#endif
