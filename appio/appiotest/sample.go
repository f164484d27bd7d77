package appiotest

import (
	"fmt"

	"github.com/flussi-go/flussi"
)

// The parts of sample citizens: the letters that a fiscal code takes from common surnames,
// and from given names of women and men in turn. Their numbers matter; see [SampleCitizen].
var (
	sampleSurnames = [...]string{
		"RSS", "FRR", "BNC", "SPS", "RMN", "CLM", "RCC", "MRN", "GRC", "BRN", "GLL", "CNT", "DLC",
		"CST", "GRD", "MNC", "RZZ", "LMB", "MRT", "BRB", "SNT", "FNT", "CRS", "MTT", "VLN", "PLL",
		"FBB", "TST", "GTT", "PRN", "MZZ", "BTT", "SRR", "LNE", "VTL", "CTT", "DMC",
	}
	sampleNames = [...]string{
		"GLI", "MRC", "SRA", "LSN", "CHR", "LCU", "FNC", "NDR", "LNE", "MTT", "MRT", "DVD", "SFO",
		"SMN", "LRA", "PLA", "NNA", "GPP", "FRC", "FBA", "GRG", "RCR", "LCA", "CRL", "VNT", "TMS",
		"MRA", "GNN", "CTR", "STF", "SLV",
	}
)

// The numbers of the other parts. No two of these numbers, the surnames (37) and the names
// (31) have a common divisor.
const (
	sampleYears  = 59 // of birth, from 1941
	sampleMonths = 12
	sampleDays   = 25  // of the month, from 1
	samplePlaces = 997 // from X000
)

// SampleCitizen returns the fiscal code of the invented citizen i: no register has the place
// of birth, X000 to X996, so that no person has the code. The form, the date and the check
// character are valid. The same i always gives the same
// code, and different i below 20 billion (20,240,994,300) give different codes; above, the
// codes repeat. For an i below 0 it is the zero code.
//
// It is safe for concurrent use.
func SampleCitizen(i int) flussi.FiscalCode {
	if i < 0 {
		return flussi.FiscalCode{}
	}
	// Each part repeats after its own number. As the numbers have no common divisor, the whole
	// repeats only after their product. The factors make neighbours differ in more parts.
	part := func(of, factor int) int { return i % of * factor % of }
	name, day := part(len(sampleNames), 1), 1+part(sampleDays, 7)
	if name%2 == 0 {
		day += 40 // a woman
	}
	s := make([]byte, 0, 16)
	s = append(append(s, sampleSurnames[part(len(sampleSurnames), 1)]...), sampleNames[name]...)
	s = digits(s, (41+part(sampleYears, 22))%100, 2)
	s = append(s, "ABCDEHLMPRST"[part(sampleMonths, 5)])
	s = digits(s, day, 2)
	s = digits(append(s, 'X'), part(samplePlaces, 389), 3)
	code, _ := flussi.ParseFiscalCode(string(append(s, checkCharacter(s)))) // cannot fail: all parts have their form
	return code
}

// digits appends a number with as many digits.
func digits(s []byte, number, count int) []byte {
	for range count {
		s = append(s, '0')
	}
	for i := len(s) - 1; number > 0; i-- {
		s[i] += byte(number % 10)
		number /= 10
	}
	return s
}

// checkCharacter computes the 16th character of a fiscal code from the first 15.
func checkCharacter(s []byte) byte {
	// The values of characters at odd positions, by letter or digit.
	odd := [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i := range s {
		rank := int(s[i] - 'A')
		if s[i] <= '9' {
			rank = int(s[i] - '0')
		}
		if i%2 == 0 {
			rank = odd[rank]
		}
		sum += rank
	}
	return byte('A' + sum%26)
}

// SampleNotice returns the number of the payment notice i: layout 3, segregation code 01,
// i as the rest, and the right check digits. The same i always gives the same number, and
// different i below 10¹³ give different numbers; above, the numbers repeat. For an i
// below 0 it is the zero number.
//
// It is safe for concurrent use.
func SampleNotice(i int) flussi.NoticeNumber {
	if i < 0 {
		return flussi.NoticeNumber{}
	}
	base := int64(301e13) + int64(i)%1e13
	number, _ := flussi.ParseNoticeNumber(fmt.Sprintf("%d%02d", base, base%93)) // cannot fail: 18 digits, the first is 3
	return number
}
