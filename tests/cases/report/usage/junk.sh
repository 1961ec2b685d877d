# Bytes that are no trace.
printf "not a trace" >junk.stall
stallmeter report junk.stall
