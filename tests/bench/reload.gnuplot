# SPDX-License-Identifier: MIT
# Reads reload.dat and writes reload.svg, both in the working directory. A line of the data: the
# name of a server; its worst latency left alone and through reload, each as median, least and most
# of all rounds; failed requests; reconnects.
set terminal svg size 1000,900 font "sans,13" background "white"
set output "reload.svg"
set multiplot layout 2,1
set style fill solid 0.8 noborder
set style data histograms
set boxwidth 0.9
set grid ytics lc rgb "#dddddd"
set xtics nomirror rotate by -20 noenhanced
set ytics nomirror
set border 3
set key above right horizontal
set errorbars linecolor rgb "#333333"

set title "Worst latency at a fixed rate, in ms (median, least and most of all rounds)"
set logscale y
set yrange [1:]
set style histogram errorbars gap 1.5 lw 1.2
plot "reload.dat" using 2:3:4:xtic(1) title "left alone" lc rgb "#9db4c0", \
     "" using 5:6:7 title "reloaded 10 times" lc rgb "#b5483a"

set title "Lost through 10 reloads under full load (median of all rounds)"
unset logscale y
# As good as logarithmic, but it has a zero.
set nonlinear y via asinh(y) inverse sinh(y)
set yrange [0:10000]
set ytics (0, 1, 10, 100, 1000, 10000, 100000)
set style histogram clustered gap 1.5
plot "reload.dat" using 8:xtic(1) title "failed requests" lc rgb "#b5483a", \
     "" using 9 title "reconnects" lc rgb "#e0b04c", \
     "" using ($0 - 0.15):8:8 with labels offset 0,0.6 notitle, \
     "" using ($0 + 0.15):9:9 with labels offset 0,0.6 notitle
