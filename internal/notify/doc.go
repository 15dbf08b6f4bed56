// Package notify tells people and programs of events: by signed webhooks (Standard Webhooks), e-mail
// and chat.
//
// The trail is the queue. A subscription says what is told and where; it is a change like others
// (Store proposes it, Apply writes it). How far each subscription has been told is a cursor over the
// sequence of events, which is moved only after the receiver has answered (Courier): every event
// that a subscription chooses is told at least once, in order, and after a crash again under the same
// id. Nothing is written when an event is recorded, and a receiver that is slow or down holds up
// nobody but itself.
//
// What is told is what everyone may read of an event: its public fields. Sealed ones (names, purposes,
// free text) are never sent; the event's id leads those who may open them to it. Addresses and secrets
// lie in files (Vault), not in the database, not on the trail, not in logs.
package notify
