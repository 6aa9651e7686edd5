//! Text from elsewhere: one hostile corpus through every output of every command, in a pipe and on a terminal. Whatever a
//! server or a file says, no output steers the terminal, hides a character or has a line that is not the program's own.

mod corpus;
mod coverage;
mod drives;
mod events;
mod files;
mod liar;
mod outputs;
mod page;
mod published;
mod server;
