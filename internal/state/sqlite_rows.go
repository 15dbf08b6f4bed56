package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// sqliteRows give their statement back when they are closed.
type sqliteRows struct {
	ctx       context.Context
	session   *sqliteSession
	statement *statement // nil once they are closed
	rows      driver.Rows
	row       []driver.Value // the current one
	on        bool           // there is a current one
	err       error
}

func (r *sqliteRows) Next() bool {
	r.on = false
	if r.statement == nil || r.err != nil {
		return false
	}
	err := r.ctx.Err()
	if err == nil {
		err = r.session.conn.Raw(func(any) error { return r.rows.Next(r.row) })
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	r.on = err == nil
	return r.on
}

func (r *sqliteRows) Err() error { return r.err }

func (r *sqliteRows) Close() error {
	if r.statement == nil {
		return nil
	}
	st := r.statement
	r.statement, r.on = nil, false
	return r.session.conn.Raw(func(any) error { return errors.Join(r.rows.Close(), r.session.release(st)) })
}

func (r *sqliteRows) Scan(dest ...any) error {
	if !r.on || len(dest) != len(r.row) {
		return fmt.Errorf("%d columns are to be scanned, there are %d in the current row", len(dest), len(r.row))
	}
	for i, d := range dest {
		if err := assign(d, r.row[i]); err != nil {
			return fmt.Errorf("scan column %d (%s): %w", i+1, r.rows.Columns()[i], err)
		}
	}
	return nil
}

// assign copies what the driver has read, which is nil, int64, float64, string or []byte, to dest. Of the
// conversions of database/sql it has those that PostgreSQL's driver has too, and a number into a bool.
func assign(dest any, v driver.Value) error {
	switch d := dest.(type) {
	case *string:
		if s, ok := v.(string); ok {
			*d = s
			return nil
		}
	case *int64:
		if n, ok := v.(int64); ok {
			*d = n
			return nil
		}
	case *[]byte:
		switch v := v.(type) {
		case nil:
			*d = nil
			return nil
		case []byte: // the driver's copy, which is nobody else's
			*d = v
			return nil
		case string:
			*d = []byte(v)
			return nil
		}
	case *any:
		*d = v
		return nil
	case sql.Scanner:
		return d.Scan(v)
	}
	into := reflect.ValueOf(dest)
	if into.Kind() != reflect.Pointer || into.IsNil() {
		return fmt.Errorf("a %T is nothing to scan into", dest)
	}
	if !set(into.Elem(), v) {
		return fmt.Errorf("a %T does not fit a %s", v, into.Elem().Type())
	}
	return nil
}

// set sets a value of a basic kind, of a type that is one, or a pointer to such, which is nil for null, and
// reports whether v fits it.
func set(into reflect.Value, v driver.Value) bool {
	if into.Kind() == reflect.Pointer {
		if v == nil {
			into.SetZero()
			return true
		}
		fresh := reflect.New(into.Type().Elem())
		into.Set(fresh)
		return set(fresh.Elem(), v)
	}
	switch v := v.(type) {
	case []byte:
		if into.Kind() == reflect.Slice && into.Type().Elem().Kind() == reflect.Uint8 {
			into.SetBytes(v)
			return true
		}
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			return true
		}
	case float64:
		if into.CanFloat() && !into.OverflowFloat(v) {
			into.SetFloat(v)
			return true
		}
	case int64:
		switch {
		case into.CanInt() && !into.OverflowInt(v):
			into.SetInt(v)
			return true
		case into.CanUint() && v >= 0 && !into.OverflowUint(uint64(v)):
			into.SetUint(uint64(v))
			return true
		case into.CanFloat():
			into.SetFloat(float64(v))
			return true
		case into.Kind() == reflect.Bool:
			into.SetBool(v != 0)
			return true
		}
	}
	return false
}
