package cli

// For the tests that look at the program from outside.
var (
	Homes        = homes
	WriteSamples = writeSamples
)
