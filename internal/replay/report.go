package replay

import (
	"time"
)

// Schema names the form of a report.
const Schema = "tallystick.replay/1"

// Asked says what was sent to whom, by the one who sent it.
type Asked struct {
	Against string `json:"against" minLength:"1" maxLength:"2048" doc:"address of the server that was asked, without a query"`
	As      Format `json:"as" enum:"json,mlflow,v2,body" doc:"protocol"`
	Version string `json:"version,omitempty" maxLength:"128" doc:"version that answers there, as far as the one who asked knows"`
	Chosen  int64  `json:"chosen" minimum:"0" doc:"predictions that were chosen"`
	NotKept int64  `json:"not_kept" minimum:"0" doc:"of them, those of which no input was kept that could be sent"`
	Gone    int64  `json:"gone" minimum:"0" doc:"of them, those that were erased or removed"`
	Terms
}

// Report is what came of a replay. It names predictions by their ids, and has no value of them.
type Report struct {
	Schema   string    `json:"schema"`
	Incident string    `json:"incident,omitempty"`
	Model    string    `json:"model"`
	Made     time.Time `json:"made"`
	Asked
	Recorded map[string]int64 `json:"recorded_versions,omitempty" doc:"versions whose predictions were sent, and how many of each"`
	Outcome  *Outcome         `json:"outcome"`
	Sent     []string         `json:"sent_ids,omitempty" doc:"ids of the predictions whose inputs were sent"`
}
