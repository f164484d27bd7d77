package storetest

import (
	"math"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

func (s *Suite[P, C]) textsAreKept(texts [][2]string) {
	for _, text := range texts {
		fill := func(pointer any) { SetTexts(pointer, text[0], text[1]) }
		parent := s.FullParent()
		fill(&parent)
		child := s.FullChild(s.owner(parent))
		fill(&child)
		parent, child = s.SetParent(parent, child), Next(child)
		s.areRead("with odd texts", parent, child)

		parent = s.NewParent()
		child = s.NewChild(s.owner(parent))
		parentStored, childStored := s.Parents.Change(parent), s.Children.Change(child)
		fill(&parentStored.Record)
		fill(&childStored.Record)
		s.storesRecords(parentStored, childStored)
	}
}

// areRead checks that a parent and a child, which may be of it, are read as they should be.
func (s *Suite[P, C]) areRead(what string, parent P, child C) {
	s.Parents.IsRead(what, s.Count(parent, child))
	s.Children.IsRead(what, child)
}

// storesRecords stores a new parent and a new child, and checks their records.
func (s *Suite[P, C]) storesRecords(parent Change[P], child Change[C]) {
	s.storesEach(parent, child)
	s.Parents.HasRecords(idOf(parent.Entity), parent.Record)
	s.Children.HasRecords(idOf(child.Entity), child.Record)
}

// storesEach stores a parent and a child, each by itself.
func (s *Suite[P, C]) storesEach(parent Change[P], child Change[C]) {
	s.Must(s.SaveParent(s.Ctx, parent, nil), s.parentMethod())
	s.Must(s.SaveChildren(s.Ctx, child), s.childMethod())
}

func (s *Suite[P, C]) timesAreKept() {
	for _, given := range Moments() {
		parent := s.FullParent()
		child := s.FullChild(s.owner(parent))
		SetTimes(&parent, given)
		SetTimes(&child, given)
		s.SetParent(parent, child)
		s.Parents.hasTimes(idOf(parent), given)
		s.Children.hasTimes(idOf(child), given)
	}
}

// hasTimes checks that every time of an entity, and of its records, is the given one.
func (k *Kind[E]) hasTimes(id uuid.UUID, given time.Time) {
	one := k.One(id)
	k.HasTimes(k.Name.Get(), &one, given)
	for _, r := range k.Records(id) {
		k.HasTimes("a record of "+k.Name.History(), &r, given)
	}
}

func (s *Suite[P, C]) zeroTimesAreKept() {
	const cleared, never = "with times that were set, and are zero", "with times that were always zero"
	for _, what := range []string{cleared, never} {
		parent := s.FullParent()
		child := s.FullChild(s.owner(parent))
		if what == cleared {
			parent, child = s.SetParent(parent, child), Next(child)
		}
		clearTimes(&parent)
		clearTimes(&child)
		parent, child = s.SetParent(parent, child), Next(child)
		s.areRead(what, parent, child)
	}
}

// clearTimes takes each time of a struct away, but for those that every entity has.
func clearTimes(pointer any) {
	for _, field := range Fields(pointer) {
		if t, ok := field.Pointer.(*time.Time); ok && field.Name != "CreatedAt" && field.Name != "UpdatedAt" {
			*t = time.Time{}
		}
	}
}

func (s *Suite[P, C]) amountsAreKept() {
	parent := s.FullParent()
	child := s.FullChild(s.owner(parent))
	for _, amount := range []flussi.Cents{
		flussi.MaxPayable, math.MaxInt64, 1<<53 + 1, -1, math.MinInt64, flussi.MinPayable,
	} {
		setAmounts(&parent, amount)
		setAmounts(&child, amount)
		parent, child = s.SetParent(parent, child), Next(child)
		s.areRead("with the amount "+amount.String(), parent, child)
	}
}

// setAmounts gives every amount of a struct.
func setAmounts(pointer any, amount flussi.Cents) {
	for _, field := range Fields(pointer) {
		if value, ok := field.Pointer.(*flussi.Cents); ok {
			*value = amount
		}
	}
}

// KeepsWords checks that what has words that no store knows is kept, and so are those of its
// records.
func (s *Suite[P, C]) KeepsWords(parent P, child C) {
	parentStored, childStored := s.Parents.Change(parent), s.Children.Change(child)
	parentStored.Record.Action, parentStored.Record.From = "archive", "parked"
	childStored.Record.Action, childStored.Record.From = "suspend", "parked"
	s.storesRecords(parentStored, childStored)
	s.areRead("with unknown words", Next(parent), Next(child))
}

// fieldsThatChangeAloneAreKept changes one field of a child after the other.
func (s *Suite[P, C]) fieldsThatChangeAloneAreKept() {
	child := s.Children.Set(s.FullChild(s.owner(s.SetParent(s.FullParent()))))
	changed := s.Children.Changed(child)
	for i, to := range Fields(&changed) {
		from := reflect.ValueOf(Fields(&child)[i].Pointer).Elem()
		if to.Name == "Version" || from.Interface() == reflect.ValueOf(to.Pointer).Elem().Interface() {
			continue
		}
		from.Set(reflect.ValueOf(to.Pointer).Elem())
		child = s.Children.Set(child)
		s.Children.IsRead("of which "+to.Name+" alone was changed", child)
	}
}
