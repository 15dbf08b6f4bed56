// Package demo plays the release of a model for people to watch: it starts the program as a server,
// acts as the people of a made-up lender through its own commands, and holds every step against what
// must come of it. It knows nothing of the program but its commands: what the play shows, anybody can
// do.
package demo
