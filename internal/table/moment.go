package table

import (
	"math"
	"time"
)

// parseMoment reads a date or a date and time: 2006-01-02, 2006-01-02 15:04:05 and RFC 3339, both
// with or without a fraction of a second and a zone, T or a space between. What has no zone is UTC.
// The result is in nanoseconds since 1970, held at the ends of what an int64 can hold; held says so.
func parseMoment(b []byte) (ns int64, held, ok bool) {
	year, ok1 := number4(b)
	if !ok1 || len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return 0, false, false
	}
	month, ok1 := number2(b[5:])
	day, ok2 := number2(b[8:])
	if !ok1 || !ok2 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false, false
	}
	seconds := daysSince1970(year, month, day) * 86400
	var nanos int64
	if rest := b[10:]; len(rest) > 0 {
		if len(rest) < 9 || rest[0] != 'T' && rest[0] != ' ' || rest[3] != ':' || rest[6] != ':' {
			return 0, false, false
		}
		hour, ok1 := number2(rest[1:])
		minute, ok2 := number2(rest[4:])
		second, ok3 := number2(rest[7:])
		if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
			return 0, false, false
		}
		seconds += int64(hour*3600 + minute*60 + second)
		fraction, zone := parseFraction(rest[9:])
		offset, ok4 := parseZone(zone)
		if fraction < 0 || !ok4 {
			return 0, false, false
		}
		nanos = fraction
		seconds -= int64(offset)
	}
	ns, held = scaleTime(seconds, int64(time.Second))
	if !held {
		if ns > math.MaxInt64-nanos {
			return math.MaxInt64, true, true
		}
		ns += nanos
	}
	return ns, held, true
}

// parseFraction reads an optional point and digits as nanoseconds, further digits cut off; -1 if
// there is a point without digits.
func parseFraction(b []byte) (nanos int64, rest []byte) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b
	}
	unit := int64(time.Second)
	i := 1
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		unit /= 10
		nanos += int64(b[i]-'0') * unit
	}
	if i == 1 {
		return -1, b
	}
	return nanos, b[i:]
}

// parseZone reads Z, an offset such as +01:00, or nothing, as seconds east of UTC.
func parseZone(b []byte) (seconds int, ok bool) {
	switch {
	case len(b) == 0, len(b) == 1 && b[0] == 'Z':
		return 0, true
	case len(b) != 6 || b[0] != '+' && b[0] != '-' || b[3] != ':':
		return 0, false
	}
	hour, ok1 := number2(b[1:])
	minute, ok2 := number2(b[4:])
	seconds = hour*3600 + minute*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, ok1 && ok2 && hour <= 23 && minute <= 59
}

func number2(b []byte) (int, bool) {
	if len(b) < 2 || b[0]-'0' > 9 || b[1]-'0' > 9 {
		return 0, false
	}
	return int(b[0]-'0')*10 + int(b[1]-'0'), true
}

func number4(b []byte) (int, bool) {
	if len(b) < 4 {
		return 0, false
	}
	high, ok1 := number2(b)
	low, ok2 := number2(b[2:])
	return high*100 + low, ok1 && ok2
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts the days of the proleptic Gregorian calendar, with years that begin in March
// so that the leap day comes last.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := (year + 400) / 400 // year 0 in January becomes -1
	ofEra := year + 400 - era*400
	ofYear := (153*(month-3)+2)/5 + day - 1
	return int64((era-1)*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468)
}

// scaleTime returns count*unit nanoseconds, held at the ends of the range short of NoTime.
func scaleTime(count, unit int64) (ns int64, held bool) {
	switch {
	case count > math.MaxInt64/unit:
		return math.MaxInt64, true
	case count < -(math.MaxInt64 / unit):
		return -math.MaxInt64, true
	}
	return count * unit, false
}
