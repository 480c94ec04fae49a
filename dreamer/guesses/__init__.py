"""The canvas answers: the network says what it sees in a drawing that has come to rest, and people may agree.

drawings   finds what came to rest
seeing     asks the network
listening  writes it down and tells everybody
steering   leads a picture towards a class, at one place
leading    does that for the next dream, where people agreed
views      takes their answers
eye        what is seen in lines on paper; learning makes it, from the lessons of teaching,
           which are drawn after sets of emoji and icons that others drew (lesson_names)
judging    how often the right word is among them, on sketches: `python -m dreamer.guesses`
"""
