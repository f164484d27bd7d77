package storetest

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Kind is the entities of one kind: how the store reads them, and how the suite makes them. Its
// methods end the test when the store fails at what the rule is not about.
type Kind[E Placed] struct {
	*Probe
	Methods[E]
	Name Name                  // as in the rules
	save func(Change[E]) error // stores one

	// Changed returns an entity of which all fields are others that may change, Bare one of which
	// all are zero that may be.
	Changed, Bare func(E) E
	// Change is the storing of an entity, with a record of what was done.
	Change func(E) Change[E]
	// ByID is a filter: of all there are if no ID is given.
	ByID func(ids ...uuid.UUID) Filter
	// OtherReads are other methods that give an entity as it is stored, by their names.
	OtherReads map[string]func(id uuid.UUID) E
}

// Set stores an entity, and returns it as it is stored now, but for its counts.
func (k *Kind[E]) Set(one E) E {
	k.store(k.Change(one))
	return Next(one)
}

func (k *Kind[E]) store(change Change[E]) {
	k.Must(k.save(change), "storing "+k.Name.An())
}

// One reads an entity.
func (k *Kind[E]) One(id uuid.UUID) E {
	one, err := k.Get(k.Ctx, id)
	k.Must(err, k.Name.Get())
	return one
}

// Page reads a page.
func (k *Kind[E]) Page(filter Filter, page flussi.Page) []E {
	all, err := k.List(k.Ctx, filter, page)
	k.Must(err, k.Name.List())
	return all
}

// all reads all there are.
func (k *Kind[E]) all() []E { return k.Page(k.ByID(), flussi.Page{Limit: Everything}) }

// Records reads the records of an entity.
func (k *Kind[E]) Records(id uuid.UUID) []Record {
	records, err := k.History(k.Ctx, id)
	k.Must(err, k.Name.History())
	return records
}

// HasRecords checks that these are the records of an entity, but for their versions, which
// count.
func (k *Kind[E]) HasRecords(id uuid.UUID, want ...Record) {
	got := k.Records(id)
	if len(got) != len(want) {
		k.Fail("%s: want %d records, got %d", k.Name.History(), len(want), len(got))
		return
	}
	for i, w := range want {
		w.Version = int64(i + 1)
		k.Equal(fmt.Sprintf("%s, record %d", k.Name.History(), i+1), got[i], w)
	}
}

// IsRead checks that an entity is read as it should be, in every way.
func (k *Kind[E]) IsRead(what string, want E) {
	id := idOf(want)
	k.Equal(k.Name.Get()+" "+what, k.One(id), want)
	if listed := k.Page(k.ByID(id), flussi.Page{Limit: 2}); len(listed) != 1 {
		k.Fail("%s gives %d %s with the ID of the one %s, not 1",
			k.Name.List(), len(listed), k.Name.Many(), what)
	} else {
		k.Equal(k.Name.List()+", the one "+what, listed[0], want)
	}
	for name, read := range k.OtherReads {
		k.Equal(name+", the "+string(k.Name)+" "+what, read(id), want)
	}
}

// hasNoHistory checks that what is not there has no records.
func (k *Kind[E]) hasNoHistory(when string, id uuid.UUID) {
	if records, err := k.History(k.Ctx, id); err != nil || len(records) != 0 {
		k.Fail("%s: %s of %s that is not there: want no records and no error, got %d and %w",
			when, k.Name.History(), k.Name.An(), len(records), OrNone(err))
	}
}

// entry is what a store has of one entity.
type entry[E any] struct {
	Listed, Read E // by the method that lists, and by the one that reads one
	Records      []Record
}

// entries reads all there are, and shares nothing with the store.
func (k *Kind[E]) entries() map[uuid.UUID]entry[E] {
	found := map[uuid.UUID]entry[E]{}
	for _, one := range k.all() {
		id := idOf(one)
		found[id] = Clone(entry[E]{one, k.One(id), k.Records(id)})
	}
	return found
}

func idOf[E Placed](e E) uuid.UUID { return e.Cursor().ID }
