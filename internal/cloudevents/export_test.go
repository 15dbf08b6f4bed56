package cloudevents

import "time"

// SetBodyWait changes how long a body may take.
func (r *Receiver) SetBodyWait(wait time.Duration) { r.bodyWait = wait }
