"""Videos, dreamed picture by picture, the dream carried along by what moves. Plain Python, no Django.

clean   any video file -> one of our own: upright, a steady rate, 8 bits, bounded; in a child process with hard limits
child   what that process does; sound: what it does with sound
hdr     BT.2020 with PQ or HLG -> ordinary colours
flow    where each place of a picture was in the one before, and where that cannot be known
cuts    where shots begin
carry   the dream of one picture, moved to the next; how much a film flickers
films   the pictures and the sound of a clean file; sound joined to what was dreamed
job     a dreamed video from file to file: what `manage.py dream --video` does
"""
