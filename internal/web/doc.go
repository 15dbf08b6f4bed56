// Package web is the door for people: the pages of the registry.
//
// Pages are rendered here, from templates and style sheets of this package. Each has an address that
// can be cited, reads without JavaScript and prints. What scripts there are run in modules of their
// own and only add: the Content-Security-Policy allows nothing inline and no request but the form's.
//
// A page reads what it shows in a number of queries that does not grow with what there is, as the
// person who is signed in. Who may not see something is told so, and the refusal is on the trail.
package web
