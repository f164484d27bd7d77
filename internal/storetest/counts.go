package storetest

import (
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// HasCounts checks the counts of a parent in every way to read them.
func (s *Suite[P, C]) HasCounts(when string, id uuid.UUID, want any) {
	s.Equal(when+": the counts of "+s.Parents.Name.Get(), counts(s.Parents.One(id)), want)
	for _, parent := range s.Parents.Page(s.Parents.ByID(), flussi.Page{Limit: Everything}) {
		if idOf(parent) == id {
			s.Equal(when+": the counts of "+s.Parents.Name.List(), counts(parent), want)
		}
	}
	for name, read := range s.Parents.OtherReads {
		s.Equal(when+": the counts of "+name, counts(read(id)), want)
	}
}

// counts checks that a parent has the counts of these children, and no others.
func (s *Suite[P, C]) counts(when string, of P, children ...C) {
	s.HasCounts(when, idOf(of), counts(s.Count(of, children...)))
}

func (s *Suite[P, C]) countsAreNotWritten() {
	parent := s.withCounts(s.NewParent())
	parent = s.SetParent(parent)
	s.counts("a new "+string(s.Parents.Name)+" that came with counts", parent)
	child := s.NewChild(parent)
	parent = s.SetParent(s.withCounts(parent), child)
	s.counts(s.Parents.Name.An()+" that came with other counts than its "+s.Children.Name.Many()+"'", parent, child)
}

// withCounts returns a parent whose counts are made up.
func (s *Suite[P, C]) withCounts(parent P) P {
	for _, f := range Fields(&parent) {
		if strings.HasPrefix(f.Name, "Counts.") {
			s.Fill(f.Pointer, false)
		}
	}
	return parent
}

func (s *Suite[P, C]) childrenLeaveTheParent() {
	created := s.NewParent()
	parent := s.SetParent(created)
	all := s.NewChildren(parent, 3)
	s.SetChildren(all...)
	for i := range all {
		all[i] = withState(Next(all[i]), s.States[1])
	}
	s.SetChildren(all...)
	more := s.NewChild(parent)
	s.SetParent(s.NewParent(), more)
	for i := range all {
		all[i] = Next(all[i])
	}
	s.Parents.IsRead("whose "+s.Children.Name.Many()+" were stored and changed", s.Count(parent, append(all, more)...))
	s.Parents.HasRecords(idOf(parent), s.Parents.Change(created).Record)
}
