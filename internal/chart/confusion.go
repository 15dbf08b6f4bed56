package chart

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
)

// Confusion draws a confusion matrix: labels down, predictions across, each cell with its count
// and its share of the label's row.
type Confusion struct {
	Header
	Classes []string
	Counts  [][]int64 // [label][prediction]
}

const maxClasses = 20

// SVG draws the matrix: of more than 20 classes the 20 with most rows, with a note.
func (c Confusion) SVG() template.HTML {
	k := len(c.Classes)
	sums := make([]int64, k)
	total := int64(0)
	square := len(c.Counts) == k
	for i := range c.Counts {
		square = square && len(c.Counts[i]) == k
		for _, n := range c.Counts[i] {
			if i < k {
				sums[i] += n
			}
			total += n
		}
	}
	if k == 0 || !square || total <= 0 {
		return nothing(c.Header, c.width(340), 120)
	}
	shown := make([]int, k)
	for i := range shown {
		shown[i] = i
	}
	if k > maxClasses {
		slices.SortStableFunc(shown, func(a, b int) int { return cmp.Compare(sums[b], sums[a]) })
		shown = shown[:maxClasses]
		slices.Sort(shown)
	}
	labelWidth := 0.0
	for _, i := range shown {
		labelWidth = max(labelWidth, textWidth(c.Classes[i], fontSize))
	}
	w := c.width(max(340, 46*float64(len(shown))+120))
	labelWidth = min(labelWidth, w*0.3)
	f := frame{left: labelWidth + 30, top: 40, right: w - 4}
	cell := min(96, f.width()/float64(len(shown)))
	// Column names that do not fit their cells stand aslant, if need be cut.
	const slant = math.Pi / 4
	upright := labelWidth <= cell-6
	if !upright {
		labelWidth = min(labelWidth, 110)
		f.top += labelWidth * math.Sin(slant)
		cell = min(cell, (w-f.left-labelWidth*math.Cos(slant))/float64(len(shown)))
	}
	height := min(58, max(cell*0.62, 24))
	f.right = f.left + cell*float64(len(shown))
	f.bottom = f.top + height*float64(len(shown))
	d := newDrawing(w, f.bottom+8)
	if k > maxClasses {
		d.height += 16
		d.text(f.left, f.bottom+15, fmt.Sprintf("the %d of %s classes with most rows", maxClasses, Count(int64(k))), start, textMuted)
	}
	d.text((f.left+f.right)/2, 12, "predicted", middle, textMuted)
	d.text(11, (f.top+f.bottom)/2, "label", middle, textMuted+paint(fmt.Sprintf(` transform="rotate(-90 %s %s)"`, coord(11), coord((f.top+f.bottom)/2))))
	for row, i := range shown {
		y := f.top + height*float64(row)
		d.label(f.left-8, y+height/2+4, f.left-30, c.Classes[i], end, textInk)
		if x := f.left + cell*(float64(row)+0.5); upright {
			d.label(x, f.top-8, cell-6, c.Classes[i], middle, textInk)
		} else {
			d.label(x, f.top-6, labelWidth, c.Classes[i], start, textInk+paint(fmt.Sprintf(` transform="rotate(-45 %s %s)"`, coord(x), coord(f.top-6))))
		}
		for column, j := range shown {
			d.confusionCell(f.left+cell*float64(column), y, cell, height, c.Counts[i][j], sums[i],
				fmt.Sprintf("label %s, predicted %s", c.Classes[i], c.Classes[j]))
		}
	}
	correct := int64(0)
	for i := range c.Counts {
		correct += c.Counts[i][i]
	}
	return d.svg(c.Header, fmt.Sprintf("%d classes, %s rows, %s of them predicted rightly.", k, Count(total), Count(correct)))
}

func (d *drawing) confusionCell(x, y, width, height float64, n, sum int64, what string) {
	share := 0.0
	if sum > 0 {
		share = float64(n) / float64(sum)
	}
	tooltip := fmt.Sprintf("%s: %s rows, %s of the label", what, Count(n), Value(share, Percent))
	d.rect(x+1, y+1, width-2, height-2, fillGrid+` fill-opacity="0.5"`, "")
	d.rect(x+1, y+1, width-2, height-2, fillCurrent+paint(fmt.Sprintf(` fill-opacity="%s"`, coord(0.5*share))), tooltip)
	count := Count(n)
	if textWidth(count, fontSize) > width-4 {
		return // the tooltip still has it
	}
	if height < 40 {
		d.text(x+width/2, y+height/2+4, count, middle, textStrong)
		return
	}
	d.text(x+width/2, y+height/2-1, count, middle, textStrong)
	d.text(x+width/2, y+height/2+14, Value(share, Percent), middle, textInk)
}
