// Package spelling tells how near a mistyped name is to a known one.
package spelling

// Distance is the number of bytes to insert, delete, replace or swap with their
// neighbour to make b of a (optimal string alignment).
func Distance(a, b string) int {
	row := make([][]int, len(a)+1)
	for i := range row {
		row[i] = make([]int, len(b)+1)
		row[i][0] = i
	}
	for j := range len(b) {
		row[0][j+1] = j + 1
	}
	for i := range len(a) {
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[i+1][j+1] = min(row[i][j+1]+1, row[i+1][j]+1, row[i][j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[i+1][j+1] = min(row[i+1][j+1], row[i-1][j-1]+1)
			}
		}
	}
	return row[len(a)][len(b)]
}
