package settlementexcel_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

var clerk = flussi.Actor{ID: "m.verdi", Roles: []flussi.Role{flussi.AdminAssistant}}

func school(t testing.TB) flussi.OrganizationCode {
	return must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
}

// table has what is due, and for what.
type table map[paymentfile.Reference]item

type item struct {
	amount  flussi.Cents
	purpose settlement.Purpose
}

func (d table) Expected(_ context.Context, _ flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Expectation, error) {
	found := map[paymentfile.Reference]settlement.Expectation{}
	for _, r := range references {
		if item, is := d[r]; is {
			found[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: item.amount}
		}
	}
	return found, nil
}

func (d table) Update(context.Context, flussi.OrganizationCode, []settlement.ReferenceState) error {
	return nil
}

func (d table) Purposes(_ context.Context, _ flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]settlement.Purpose, error) {
	found := map[paymentfile.Reference]settlement.Purpose{}
	for _, r := range references {
		found[r] = d[r].purpose
	}
	return found, nil
}

// someDues are those of the fixtures of package paymentfile.
func someDues() table {
	return table{
		paymentfile.NewReference("01000000000000101"):   {12000, settlement.Purpose{Event: "Viaggio a Firenze", Chapter: "06/04", Receipt: true}},
		paymentfile.NewReference("010000000000102"):     {3000, settlement.Purpose{Event: "Mensa", Chapter: "06/03"}},
		paymentfile.NewReference("RF18 5390 0754 7034"): {1234, settlement.Purpose{Event: "Mensa", Chapter: "06/03"}},
	}
}

func newService(t testing.TB, due table) *settlement.Service {
	t.Helper()
	return must.Get(settlement.NewService(memstore.New(), settlement.Permissions{clerk.ID: {school(t)}}, due))(t)
}

// apply applies fixtures of package paymentfile.
func apply(t testing.TB, s *settlement.Service, names ...string) {
	t.Helper()
	for _, name := range names {
		f := must.Get(os.Open("../paymentfile/testdata/" + name))(t)
		must.Get(s.Apply(t.Context(), clerk, must.Get(paymentfile.Open(f, paymentfile.Config{Body: school(t)}))(t)))(t)
		require.NoError(t, f.Close())
	}
}

func template(t testing.TB) *settlementexcel.Template {
	t.Helper()
	return must.Get(settlementexcel.New(settlementexcel.Config{}))(t)
}

func exported(t testing.TB, s settlementexcel.Sources) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, template(t).Export(t.Context(), &b, s))
	return b.Bytes()
}
