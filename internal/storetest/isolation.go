package storetest

// LeavesChanges checks that children are stored from changes of the store's own type, that these
// are as they were afterwards, and that what was stored does not change with them.
func LeavesChanges[P, C Placed, O any](
	s *Suite[P, C], all []C, own func(C) O, save func([]O) error,
) {
	changes := Map(all, own)
	s.Must(save(changes), saveChildren(s.ChildName))
	for i, change := range changes {
		s.Equal("a change that was stored", change, own(all[i]))
	}
	Spoil(s.Probe, changes)
	for _, child := range all {
		s.ReadsChild("whose change was altered after it was stored", Next(child))
	}
}
