package flussi

// ImportReport says how many rows of an import were read, and which are not valid. It is the part
// that the reports of all imports have in common.
type ImportReport struct {
	Rows    int         // that were read
	Invalid int         // that are not valid
	Errors  []*RowError // the first of them, in the order of the rows
}
