package witness

import (
	"fmt"
	"net/http"
)

// Fault is why a checkpoint was not cosigned.
type Fault string

// The faults, each with one status of the protocol.
const (
	Malformed    Fault = "malformed"     // 400: no request of the protocol
	OldTooLarge  Fault = "old too large" // 400: the old size is beyond the checkpoint
	Unsigned     Fault = "unsigned"      // 403: no trusted key of the log has signed, or one wrongly
	UnknownLog   Fault = "unknown log"   // 404
	Stale        Fault = "stale"         // 409: the old size is not that of the checkpoint held
	Inconsistent Fault = "inconsistent"  // 422: not shown to continue the checkpoint held
)

// faults is the one table from faults to statuses.
func faults() map[Fault]int {
	return map[Fault]int{
		Malformed: http.StatusBadRequest, OldTooLarge: http.StatusBadRequest, Unsigned: http.StatusForbidden,
		UnknownLog: http.StatusNotFound, Stale: http.StatusConflict, Inconsistent: http.StatusUnprocessableEntity,
	}
}

// Refusal is the error of a checkpoint that was not cosigned.
type Refusal struct {
	Fault  Fault
	Held   uint64 // size of the checkpoint that the witness holds, if Stale
	Detail string
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("not cosigned: %s", r.Detail) }

func refuse(fault Fault, format string, args ...any) *Refusal {
	return &Refusal{Fault: fault, Detail: fmt.Sprintf(format, args...)}
}
