// Package trail keeps the audit trail: events, how they are recorded, how they reach the ledger, and
// the questions that can be put to them.
//
// # Life of an event
//
//  1. A package that changes the state records what it did in the same transaction
//     ([Recorder.RecordIn]), or on its own ([Recorder.Record]). The event has a place in the sequence,
//     which starts at 1 and has no gap, and a leaf, its canonical bytes. When the transaction is
//     durable the event is [Recorded].
//  2. The [Sealer] appends the leaves to the ledger in the order of the sequence, one batch at a time,
//     and stores where the ledger put them. When a checkpoint covers an event it is [Sealed].
//  3. The ledger asks the [Guard] before it signs a checkpoint, so that no two trees are ever signed.
//  4. A witness that cosigns the checkpoint makes its events [Witnessed].
//
// For an effect outside the database, [Recorder.Intend] records the intent before and
// [Intent.Finish] the outcome after it; [Reader.OpenIntents] finds intents without an outcome.
//
// Questions ([Reader]) choose events by columns that are written after the events themselves, by
// whoever asks first ([Reader.CatchUp]); what they return is read from the leaves.
//
// A leaf holds the public fields of its event and salted commitments to the others (package verify).
// What opens them is kept apart and can be erased without harm to any proof.
package trail
