"""Frames: the kept pictures of a canvas, the newest of which it starts from.

codec (pixels to files and back), storing (reading and keeping), bases (what a canvas starts from, and when that goes
back), composing (base and ink to a picture), earlier (what the
undream brush brings back), visibility (hiding and showing again). What others use is named here.
"""

from canvas.frames.bases import StorageTrouble as StorageTrouble
from canvas.frames.bases import set_base as set_base
from canvas.frames.bases import storage_trouble as storage_trouble
from canvas.frames.codec import Picture as Picture
from canvas.frames.codec import decode as decode
from canvas.frames.codec import encode as encode
from canvas.frames.codec import sha256 as sha256
from canvas.frames.composing import Composed as Composed
from canvas.frames.composing import base as base
from canvas.frames.composing import compose as compose
from canvas.frames.earlier import earlier_pictures as earlier_pictures
from canvas.frames.storing import FrameDamaged as FrameDamaged
from canvas.frames.storing import FrameGone as FrameGone
from canvas.frames.storing import NewFrame as NewFrame
from canvas.frames.storing import keep as keep
from canvas.frames.storing import load as load
from canvas.frames.storing import read as read
from canvas.frames.visibility import hide as hide
from canvas.frames.visibility import unhide as unhide
