/* The price of a process. */
int main(void) { return 0; }
