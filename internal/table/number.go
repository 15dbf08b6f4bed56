package table

import (
	"bytes"
	"math"
	"strconv"
)

// isNull reports whether a CSV field states that its value is missing.
func isNull(field []byte) bool {
	switch len(field) {
	case 0:
		return true
	case 2:
		return string(field) == "NA"
	case 3:
		return string(field) == "N/A"
	case 4:
		return string(field) == "null" || string(field) == "NULL" || string(field) == "None"
	}
	return false
}

// isNaN reports whether a field is "nan" in any case: a number in a column of numbers, a missing
// value in any other, where Python writes it for one.
func isNaN(field []byte) bool { return len(field) == 3 && bytes.EqualFold(field, []byte("nan")) }

// trimBlanks cuts spaces and tabs off both ends.
func trimBlanks(field []byte) []byte {
	for len(field) > 0 && (field[0] == ' ' || field[0] == '\t') {
		field = field[1:]
	}
	for len(field) > 0 && (field[len(field)-1] == ' ' || field[len(field)-1] == '\t') {
		field = field[:len(field)-1]
	}
	return field
}

// powersOfTen are the ones that a float64 holds exactly.
var powersOfTen = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// maxExact is the largest integer below which a float64 holds every one.
const maxExact = 1 << 53

// parseNumber reads a decimal number, NaN or an infinity, correctly rounded; a number too large for
// a float64 is an infinity. integer says that it is written without a point and an exponent.
// Underscores, hexadecimal digits and thousands separators make it no number.
func parseNumber(field []byte) (value float64, integer, ok bool) {
	digits := field
	negative := false
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		negative = digits[0] == '-'
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return 0, false, false
	}
	if c := digits[0]; c > '9' {
		return parseSpecial(digits, negative)
	}

	// Clinger's fast path: a mantissa below 2^53 and a power of ten up to 22 are both exact, so that
	// one operation rounds correctly.
	var mantissa uint64
	seen, scale, i := 0, 0, 0
	for ; i < len(digits) && digits[i]-'0' <= 9; i++ {
		mantissa = mantissa*10 + uint64(digits[i]-'0')
		seen++
	}
	integer = true
	if i < len(digits) && digits[i] == '.' {
		integer = false
		i++
		start := i
		for ; i < len(digits) && digits[i]-'0' <= 9; i++ {
			mantissa = mantissa*10 + uint64(digits[i]-'0')
		}
		scale = start - i
		seen -= scale
	}
	if seen == 0 {
		return 0, false, false
	}
	if i < len(digits) && digits[i]|0x20 == 'e' {
		integer = false
		exponent, n, ok := parseExponent(digits[i+1:])
		if !ok {
			return 0, false, false
		}
		scale += exponent
		i += 1 + n
	}
	if i != len(digits) {
		return 0, false, false
	}
	if seen <= 19 && mantissa <= maxExact && -22 <= scale && scale <= 22 {
		value = float64(mantissa)
		if scale < 0 {
			value /= powersOfTen[-scale]
		} else {
			value *= powersOfTen[scale]
		}
		if negative {
			value = -value
		}
		return value, integer, true
	}
	// The grammar has been checked, so that the only error is an overflow, with the infinity as value.
	value, _ = strconv.ParseFloat(string(field), 64)
	return value, integer, true
}

func parseExponent(b []byte) (exponent, n int, ok bool) {
	negative := false
	if n < len(b) && (b[n] == '-' || b[n] == '+') {
		negative = b[n] == '-'
		n++
	}
	start := n
	for ; n < len(b) && b[n]-'0' <= 9; n++ {
		if exponent < 100_000 {
			exponent = exponent*10 + int(b[n]-'0')
		}
	}
	if negative {
		exponent = -exponent
	}
	return exponent, n, n > start
}

func parseSpecial(word []byte, negative bool) (value float64, integer, ok bool) {
	sign := 1
	if negative {
		sign = -1
	}
	switch {
	case isNaN(word):
		return math.NaN(), false, true
	case len(word) == 3 && bytes.EqualFold(word, []byte("inf")),
		len(word) == 8 && bytes.EqualFold(word, []byte("infinity")):
		return math.Inf(sign), false, true
	}
	return 0, false, false
}
