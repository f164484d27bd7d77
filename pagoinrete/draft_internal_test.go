package pagoinrete

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
)

func TestSharesAddUp(t *testing.T) {
	for _, test := range []struct {
		amount  flussi.Cents
		weights []flussi.Cents
		want    []flussi.Cents
	}{
		{0, []flussi.Cents{1, 1}, []flussi.Cents{0, 0}},
		{100, []flussi.Cents{1, 1, 1}, []flussi.Cents{34, 33, 33}},
		{101, []flussi.Cents{1, 1, 1}, []flussi.Cents{34, 34, 33}},
		{1, []flussi.Cents{0, 5}, []flussi.Cents{0, 1}},
		{1000, []flussi.Cents{7000, 3000}, []flussi.Cents{700, 300}},
		{flussi.MaxPayable, []flussi.Cents{flussi.MaxPayable, flussi.MaxPayable}, []flussi.Cents{5_000_000_000, 4_999_999_999}},
	} {
		assert.Equal(t, test.want, share(test.amount, test.weights), "%d by %v", int64(test.amount), test.weights)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		weights := make([]flussi.Cents, 1+random.IntN(MaxInstalments))
		var total float64
		for i := range weights {
			weights[i] = flussi.Cents(1 + random.Int64N(int64(flussi.MaxPayable)))
			total += float64(weights[i])
		}
		amount := flussi.Cents(random.Int64N(int64(flussi.MaxPayable) + 1))
		var sum flussi.Cents
		for i, part := range share(amount, weights) {
			sum += part
			exact := float64(amount) * float64(weights[i]) / total
			require.InDelta(t, exact, float64(part), 1.01, "at most a cent away")
		}
		require.Equal(t, amount, sum)
	}
}

func FuzzTheNoticesOfADraftAddUp(f *testing.F) {
	f.Add(int64(10_000), int64(0), uint8(3), uint8(0), true)
	f.Add(int64(10_000), int64(999), uint8(2), uint8(0), false)
	f.Add(int64(1), int64(0), uint8(24), uint8(0), true)
	f.Add(int64(9_999_999_999), int64(9_999_999_998), uint8(24), uint8(2), true)
	due, err := flussi.EndOfDay(2027, 1, 31)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, amount, discount int64, instalments, which uint8, flexible bool) {
		e := Event{EventData: EventData{Flexible: flexible, Instalments: make([]Instalment, 1+instalments%MaxInstalments)}}
		for i := range e.Instalments {
			e.Instalments[i].DueDate = due
			if !flexible {
				e.Instalments[i].Amount = flussi.Cents(amount)
				e.Amount += flussi.Cents(amount)
			}
		}
		d := NoticeDraft{Debtor: flussi.TestRecipient(), Instalment: int(which), Discount: flussi.Cents(discount)}
		if flexible {
			d.Amount = flussi.Cents(amount)
		}
		parts, err := d.parts(e)
		if err != nil {
			var invalid *flussi.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.NotEmpty(t, invalid.Italian())
			return
		}
		var sum, discounts flussi.Cents
		for i, p := range parts {
			require.NoError(t, p.data.Validate())
			require.Equal(t, max(int(which), 1)+i, p.instalment)
			sum += p.data.Amount
			discounts += p.data.Discount
		}
		want := flussi.Cents(amount)
		if !flexible && which == 0 {
			want = e.Amount
		}
		require.Equal(t, want, sum)
		require.Equal(t, d.Discount, discounts)
	})
}
