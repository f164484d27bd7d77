package flow

// Observed returns a store whose calls an observer receives, for the suite of stores.
func Observed(store Store, o *Observer) Store { return observed(store, o) }
