package server

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// bodyWait is how long a request's body may take, unless its handler says otherwise.
const bodyWait = time.Minute

// timely gives the body of a request its time. Without, whoever is answered before his body is read, for want of a
// token say, keeps the connection by sending a byte now and then: net/http reads on, up to 256 KiB, so that the
// connection can be used again. (Server.ReadTimeout would end long answers, too: it counts as the end of a connection
// of which nothing more is read.)
func timely(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	conn := http.NewResponseController(w)
	if conn.SetReadDeadline(time.Now().Add(wait)) == nil { // one that cannot is one without a network
		r.Body = &timedBody{r.Body, conn}
	}
}

// timedBody takes the deadline away at its end.
type timedBody struct {
	io.ReadCloser
	conn *http.ResponseController
}

// Read implements io.Reader.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.conn.SetReadDeadline(time.Time{}) // it could be set
	}
	return n, err
}
