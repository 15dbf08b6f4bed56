// Package provenance notes what a training command leaves behind: the commit and what is not
// committed, the pipeline, the libraries, the machine, what was read and what was written.
//
// What it reads belongs to somebody else. Git runs without the configuration of the user and with what a
// repository can configure to run programs turned off; nothing else is executed but nvidia-smi.
// Everything is bounded. What could not be read is said, never guessed.
package provenance
